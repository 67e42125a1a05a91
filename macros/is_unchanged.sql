{#-
    Whether the table that is being built has its rows of the run date already: those of its recorded
    day, on which raw had the same rows of the tables that it is made from.
-#}
{% macro is_unchanged(raw) %}
    {%- set day = recorded_day() if raw else none -%}
    {%- if day is none -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set changed -%}
        select raw_schema, table_name
        from raw_ops.landed_tables
        where
            run_date in ({{ day }}, {{ run_date() }})
            and (raw_schema, table_name) in ({{ raw | join(', ') }})
        group by raw_schema, table_name
        having count(*) < 2 or min(content_hash) <> max(content_hash)
    {%- endset -%}
    {{ return(not run_query(changed).rows) }}
{% endmacro %}
