{#- `indexes` are for Postgres: a column store scans, so an index would only cost memory. -#}
{% macro duckdb__get_create_index_sql(relation, index_dict) %}
    {{ return(none) }}
{% endmacro %}
