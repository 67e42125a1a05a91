{#- On every engine a decimal's text has all places of its type: 14.0000000000 becomes 14. -#}
{% macro number_text(decimal) -%}
    trim(trailing '.' from trim(trailing '0' from cast({{ decimal }} as varchar)))
{%- endmacro %}
