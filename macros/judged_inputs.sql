{#-
    A run id identifies the rows and rejects of one extract: a day is validated again when it was
    extracted again, and every day when a rule has changed.
-#}
{% macro judged_inputs() -%}
    {%- set rules = [joined_array('reasons')] -%}
    {%- for staged in staged_rejects() -%}
        {%- for id in staged.depends_on.macros if id.endswith('_reject_reason') -%}
            {%- do rules.append(context[id.split('.') | last]()) -%}
        {%- endfor -%}
    {%- endfor -%}
    select
        run_date,
        md5(
            string_agg(
                concat_ws('|', raw_schema, table_name, run_id), ',' order by raw_schema, table_name
            ) || '{{ local_md5(rules | join) }}'
        ) as inputs
    from raw_ops.landed_tables
    where run_date <= {{ run_date() }}
    group by run_date
{%- endmacro %}
