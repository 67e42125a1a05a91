{% macro row_text(values, delimiter) -%}
    {%- for value in values -%}
        coalesce(cast({{ value }} as varchar), '')
        {%- if not loop.last %} || '{{ delimiter }}' || {% endif -%}
    {%- endfor -%}
{%- endmacro %}
