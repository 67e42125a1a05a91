{#-
    The inputs of a day's marts. The load's run id is left out, because loading the same rows again
    changes no mart.
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
