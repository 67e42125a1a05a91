{#- The condition of a fact's SQL on the rows that it reads; true in a rebuild. -#}
{% macro is_changed() -%}
    {%- set key = config.get('meta').changed_key -%}
    {%- if is_incremental() -%}
    {{ key }} in (select {{ key }} from {{ model.name }}__changed)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}
