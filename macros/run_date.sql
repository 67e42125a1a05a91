{% macro run_date() %}
    {%- set day = var('run_date', none) -%}
    {%- if day is none -%}
        {#- The day of this build, or of the last one: a load that ends meanwhile doesn't change it. -#}
        {{ return('(select run_date from raw_ops.build_mark)') }}
    {%- endif -%}
    {#- The text alone is checked here; whether the calendar has the day, the engine knows. -#}
    {%- if not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', day | string) -%}
        {{ exceptions.raise_compiler_error(
            "run_date must be a calendar day written YYYY-MM-DD, not '" ~ day ~ "'"
        ) }}
    {%- endif -%}
    {{ return("cast('" ~ day ~ "' as date)") }}
{% endmacro %}
