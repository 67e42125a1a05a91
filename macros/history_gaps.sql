{% macro history_gaps(day, day_too=false) -%}
    {#- Before the first build the table doesn't exist, and every loaded day is missing. -#}
    {%- set has_history = execute
        and adapter.get_relation(target.database, 'raw_ops', 'history_days') is not none -%}
    with loaded as (
        {{ history_inputs() }}
    ),

    days as (
        select
            loaded.run_date,
            {{ 'history_days.run_date is not null' if has_history else 'false' }} as is_in_history
        from loaded
        {%- if has_history %}
        left join raw_ops.history_days
            on
                loaded.run_date = history_days.run_date
                and loaded.inputs = history_days.inputs
        {%- endif %}
        where loaded.run_date {{ '<=' if day_too else '<' }} cast('{{ day }}' as date)
    )

    select run_date
    from days
    where run_date >= (select min(run_date) from days where not is_in_history)
    order by run_date
{%- endmacro %}
