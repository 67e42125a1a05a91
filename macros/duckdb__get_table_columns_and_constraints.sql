{#-
    DuckDB would keep an index in memory for every primary and foreign key, drop and restore tables
    around them, and gain nothing: there the tests hold the keys, and Postgres has them in the table.
-#}
{% macro duckdb__get_table_columns_and_constraints() %}
    {%- set columns = {} -%}
    {%- for name, column in model.columns.items() -%}
        {%- set kept = column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
        {%- do columns.update({name: dict(column, constraints=kept)}) -%}
    {%- endfor -%}
    ({{ adapter.render_raw_columns_constraints(raw_columns=columns) | join(', ') }})
{% endmacro %}
