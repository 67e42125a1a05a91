{% macro landed_tables_exist() %}
    {{ return(adapter.get_relation(target.database, 'raw_ops', 'landed_tables') is not none) }}
{% endmacro %}
