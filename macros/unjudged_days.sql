{#-
    A run id identifies the rows and rejects of one extract: a day is validated again when it was
    extracted again, and every day when a rule has changed.
-#}
{% macro unjudged_days(rejected_rows) -%}
    {%- set days = {} -%}
    {%- if execute and builds_relations() -%}
        {%- set judged = adapter.get_relation(
            rejected_rows.database, rejected_rows.schema, '_judged_days'
        ) -%}
        {%- set rules = local_md5(
            reject_reason('orders') ~ reject_reason('order_details') ~ reject_reason('event_log')
            ~ joined_array('reasons')
        ) -%}
        {%- set sql -%}
            select
                loaded.run_date,
                loaded.inputs
            from (
                select
                    run_date,
                    'md5:' || md5(
                        string_agg(
                            concat_ws('|', raw_schema, table_name, run_id),
                            ',' order by raw_schema, table_name
                        ) || '{{ rules }}'
                    ) as inputs
                from raw_ops.landed_tables
                where run_date <= {{ run_date() }}
                group by run_date
            ) as loaded
            {%- if judged is not none and is_incremental() %}
            left join {{ judged }} as judged
                on
                    loaded.run_date = judged.run_date
                    and loaded.inputs = judged.inputs
            where judged.run_date is null
            {%- endif %}
            order by 1
        {%- endset -%}
        {%- for row in run_query(sql).rows -%}
            {%- do days.update({"cast('" ~ (row[0] | string)[:10] ~ "' as date)": row[1]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(days) }}
{%- endmacro %}
