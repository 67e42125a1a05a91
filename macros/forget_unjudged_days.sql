{% macro forget_unjudged_days(rejected_rows) %}
    {%- if execute %}
        {%- set judged = judged_days(rejected_rows) -%}
        create table if not exists {{ judged }} (
            run_date date,
            inputs varchar
        );
        {%- if not is_incremental() %}
        -- A missing table has no days.
        delete from {{ judged }};
        {%- elif not flags.EMPTY and not flags.SAMPLE %}
            {%- set days = unjudged_days(rejected_rows) %}
            {%- for table in [rejected_rows, judged] %}
        delete from {{ table }}
        where
            run_date > {{ run_date() }}
            or run_date in ({{ days }});
            {%- endfor %}
        {%- endif %}
    {%- endif %}
{% endmacro %}
