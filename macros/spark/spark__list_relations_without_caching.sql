{#- dbt-spark would describe every table to learn its format, which all tables here share. -#}
{% macro spark__list_relations_without_caching(relation) %}
    {%- call statement('tables', fetch_result=true) -%}
        show tables in {{ relation.schema }}
    {%- endcall -%}
    {%- set tables = [] -%}
    {%- for row in load_result('tables').table.rows -%}
        {%- do tables.append("('" ~ row[0] ~ "', '" ~ row[1] ~ "', false, 'Provider: iceberg')") -%}
    {%- endfor -%}
    {%- call statement('relations', fetch_result=true) -%}
        select * from values {{ tables | join(', ') or "('', '', false, '')" }} as listed
        where col1 <> ''
    {%- endcall -%}
    {{ return(load_result('relations').table) }}
{% endmacro %}
