{#- A decimal's text has all of its column's places on every engine: 14.0000000000 is 14. -#}
{% macro number_text(decimal) -%}
    rtrim(rtrim(cast({{ decimal }} as varchar), '0'), '.')
{%- endmacro %}
