{% macro history_gaps(day, day_too=false) -%}
    with loaded as (
        {{ history_inputs() }}
    ),

    days as (
        select
            loaded.run_date,
            history_days.run_date is not null as is_in_history
        from loaded
        left join raw_ops.history_days
            on
                loaded.run_date = history_days.run_date
                and loaded.inputs = history_days.inputs
        where loaded.run_date {{ '<=' if day_too else '<' }} cast('{{ day }}' as date)
    )

    select run_date
    from days
    where run_date >= (select min(run_date) from days where not is_in_history)
    order by run_date
{%- endmacro %}
