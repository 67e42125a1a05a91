{#- Raw no longer has a pruned day, and history keeps it, so history can't be built again up to it. -#}
{% macro last_pruned_day() -%}
    (
        select max(history_days.run_date)
        from raw_ops.history_days
        left join raw_ops.landed_tables
            on history_days.run_date = landed_tables.run_date
        where landed_tables.run_date is null
    )
{%- endmacro %}
