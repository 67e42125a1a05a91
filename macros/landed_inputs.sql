{#-
    What the marts of a day stand on. The loading run's id is left out: the same rows loaded once
    more change no mart.
-#}
{% macro landed_inputs(day) -%}
    select
        md5(
            string_agg(
                concat_ws(
                    '|', run_date, source, raw_schema, table_name,
                    row_count, rejected_count, content_hash
                ),
                ',' order by run_date, source, raw_schema, table_name
            )
        )
    from raw_ops.landed_tables
    where run_date <= cast('{{ day }}' as date)
{%- endmacro %}
