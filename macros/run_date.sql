{% macro run_date() %}
    {%- set day = run_day(pinned=true) if execute else none -%}
    {%- if day is none and flags.WHICH in ['build', 'run', 'seed', 'snapshot', 'show'] and execute -%}
        {{ refuse_missing_loads(day) }}
    {%- endif -%}
    {#- Compiling and parsing must work before anything is loaded: they get a day that no data has. -#}
    {{ return("cast('" ~ (day or '1970-01-01') ~ "' as date)") }}
{% endmacro %}
