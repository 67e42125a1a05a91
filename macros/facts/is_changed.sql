{#- The condition of a fact's SQL on the rows that it reads; true in a rebuild and in unit tests. -#}
{% macro is_changed() -%}
    {%- if fact_day() is not none -%}
    {%- set key = config.get('meta').changed_key -%}
    {{ key }} in (select {{ key }} from {{ model.name }}__changed)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}
