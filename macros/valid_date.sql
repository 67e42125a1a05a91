{% macro valid_date(value) %}
    {#- YAML parses an unquoted day as a date, a quoted one as a string; their text is equal. -#}
    {%- set text = value | string -%}
    {%- if modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', text) -%}
        {%- set year, month, day = text[:4] | int, text[5:7] | int, text[8:] | int -%}
        {%- if year >= 1 and 1 <= month <= 12 and 1 <= day <= 31 -%}
            {#- Counted from the first of the month, a missing day is in the next month. -#}
            {%- set counted = modules.datetime.date(year, month, 1)
                + modules.datetime.timedelta(days=day - 1) -%}
            {%- if counted.isoformat() == text -%}
                {{ return(text) }}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
    {{ exceptions.raise_compiler_error(
        "run_date must be a calendar day written YYYY-MM-DD, not '" ~ text ~ "'"
    ) }}
{% endmacro %}
