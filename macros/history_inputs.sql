{#- What history takes from each day: a day counts as loaded when all four of its tables are. -#}
{% macro history_inputs() -%}
    select
        run_date,
        md5(
            string_agg(
                concat_ws('|', table_name, row_count, content_hash), ',' order by table_name
            )
        ) as inputs
    from raw_ops.landed_tables
    where
        raw_schema = 'raw_northwind'
        and table_name in ('customers', 'employees', 'products', 'suppliers')
    group by run_date
    having count(*) = 4
{%- endmacro %}
