{% macro run_date() %}
    {%- set day = run_day(pinned=true) if execute else none -%}
    {%- if execute and day is none and flags.WHICH == 'show' -%}
        {#- `show` runs a model without the refusing hook. -#}
        {%- do refuse_missing_loads(day) -%}
    {%- endif -%}
    {#- Parsing and compiling work before anything is loaded, with a day that has no data. -#}
    {{ return("cast('" ~ (day or '1970-01-01') ~ "' as date)") }}
{% endmacro %}
