{#- Overrides dbt-duckdb's own: which constraints a table gets there. -#}
{% macro enforced_constraint_types() %}
    {{ return(['not_null']) }}
{% endmacro %}
