{#-
    A run id identifies the rows and rejects of one extract: a day is validated again when it was
    extracted again, and every day when a rule has changed.
-#}
{% macro judged_inputs() -%}
    {%- set rules = local_md5(
        order_reject_reason() ~ order_detail_reject_reason() ~ event_reject_reason()
        ~ joined_array('reasons')
    ) -%}
    select
        run_date,
        md5(
            string_agg(
                concat_ws('|', raw_schema, table_name, run_id), ',' order by raw_schema, table_name
            ) || '{{ rules }}'
        ) as inputs
    from raw_ops.landed_tables
    where run_date <= {{ run_date() }}
    group by run_date
{%- endmacro %}
