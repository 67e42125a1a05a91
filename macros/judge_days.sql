{% macro judge_days(rejected_rows) %}
    {%- if execute %}
        {#- In the schema of rejected_rows, so that both are always replaced together. -#}
        {%- set judged = rejected_rows.incorporate(path={'identifier': '_judged_days'}) -%}
        {%- set days = unjudged_days(rejected_rows) -%}
        create table if not exists {{ judged }} (
            run_date date,
            inputs varchar
        );
        {%- if not is_incremental() %}
        -- A missing table has no days.
        delete from {{ judged }};
        {%- endif %}
        {%- if not flags.EMPTY and not flags.SAMPLE %}
            {%- for table in [rejected_rows, judged] if is_incremental() %}
        delete from {{ table }}
        where
            run_date > {{ run_date() }}
            or run_date in ({{ days | join(', ') or 'null' }});
            {%- endfor %}
            {%- for day, inputs in days.items() %}
        insert into {{ judged }} (run_date, inputs)
        select
            {{ day }} as run_date,
            '{{ inputs }}' as inputs
        from raw_ops.build_mark
        where
            invocation_id = '{{ invocation_id }}'
            -- A load meanwhile has made the mark stale: it is unknown which rows are validated.
            and state = 'building';
            {%- endfor %}
        {%- endif %}
    {%- endif %}
{% endmacro %}
