{#- On DuckDB, indexes of facts would cost every build more than any query gains. -#}
{% macro duckdb__get_create_index_sql(relation, index_dict) %}{% endmacro %}
