{#- Overrides dbt's macro, by which contracts compare the types of two queries. -#}
{% macro get_column_schema_from_query(select_sql, select_sql_header=none) %}
    {%- set query = get_empty_subquery_sql(select_sql, select_sql_header) -%}
    {{ return(adapter.get_column_schema_from_query(statements(query) | first)) }}
{% endmacro %}
