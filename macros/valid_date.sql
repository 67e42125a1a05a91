{% macro valid_date(value) %}
    {#- YAML hands an unquoted day over as a date, a quoted one as a string: both read the same. -#}
    {%- set text = value | string -%}
    {%- if modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', text) -%}
        {%- set year, month, day = text[:4] | int, text[5:7] | int, text[8:] | int -%}
        {%- if year >= 1 and 1 <= month <= 12 and 1 <= day <= 31 -%}
            {#- Counted from the month's first day, a day it lacks falls into the next one. -#}
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
