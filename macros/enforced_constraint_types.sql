{#- Overrides dbt-duckdb's macro: the constraints that a table gets there. -#}
{% macro enforced_constraint_types() %}
    {{ return(['not_null']) }}
{% endmacro %}
