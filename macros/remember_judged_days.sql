{% macro remember_judged_days(rejected_rows) %}
    {%- if execute and not flags.EMPTY and not flags.SAMPLE %}
        insert into {{ judged_days(rejected_rows) }} (run_date, inputs)
        select
            loaded.run_date,
            loaded.inputs
        from ({{ judged_inputs() }}) as loaded
        left join {{ judged_days(rejected_rows) }} as judged
            on loaded.run_date = judged.run_date
        where
            judged.run_date is null
            -- Loaded again during the build, so it is unknown which rows were validated.
            and exists (
                select 1
                from raw_ops.build_mark
                where
                    invocation_id = '{{ invocation_id }}'
                    and inputs = ({{ landed_inputs(run_day(pinned=true)) }})
            );
    {%- endif %}
{% endmacro %}
