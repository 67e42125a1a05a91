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
        {%- set rules = [joined_array('reasons')] -%}
        {%- set judging = 'macro.' ~ project_name ~ '.reject_reason' -%}
        {%- for node in graph.nodes.values() | sort(attribute='name')
            if '__rejected_' in node.name and judging in node.depends_on.macros -%}
            {%- do rules.append(context.reject_reason(node.name.split('__rejected_')[1])) -%}
        {%- endfor -%}
        {%- set sql -%}
            select
                loaded.run_date,
                loaded.inputs
            from (
                select
                    run_date,
                    'md5:' || md5(
                        {{ text_list(
                            "concat_ws('|', raw_schema, table_name, run_id)",
                            ',',
                            'raw_schema, table_name'
                        ) }} || '{{ local_md5(rules | join) }}'
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
