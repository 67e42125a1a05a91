{#-
    On DuckDB, every primary and foreign key would need an index in memory and extra statements,
    without a benefit: tests check the keys. Postgres has them in the tables.
-#}
{% macro duckdb__get_table_columns_and_constraints() %}
    {%- set columns = {} -%}
    {%- for name, column in model.columns.items() -%}
        {%- set kept = column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
        {%- do columns.update({name: dict(column, constraints=kept)}) -%}
    {%- endfor -%}
    ({{ adapter.render_raw_columns_constraints(raw_columns=columns) | join(', ') }})
{% endmacro %}
