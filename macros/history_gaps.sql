{% macro history_gaps(day, day_too=false) -%}
    {#- Before the first build, and when a snapshot is missing, history has no days. -#}
    {%- set tables = [('raw_ops', 'history_days')] -%}
    {%- for node in graph.nodes.values() if execute and node.resource_type == 'snapshot' -%}
        {%- do tables.append((node.schema, node.alias)) -%}
    {%- endfor -%}
    {%- set missing = [] -%}
    {%- for schema, table in tables if execute -%}
        {%- if adapter.get_relation(target.database, schema, table) is none -%}
            {%- do missing.append(table) -%}
        {%- endif -%}
    {%- endfor -%}
    with loaded as (
        {{ history_inputs() }}
    ),

    days as (
        select
            loaded.run_date,
            {{ 'false' if missing else 'history_days.run_date is not null' }} as is_in_history
        from loaded
        {%- if not missing %}
        left join raw_ops.history_days
            on
                loaded.run_date = history_days.run_date
                and loaded.inputs = history_days.inputs
        {%- endif %}
        where
            loaded.run_date {{ '<=' if day_too else '<' }} cast('{{ day }}' as date)
            {%- if 'history_days' not in missing %}
            and loaded.run_date > coalesce({{ last_pruned_day() }}, cast('0001-01-01' as date))
            {%- endif %}
    )

    select run_date
    from days
    where run_date >= (select min(run_date) from days where not is_in_history)
    order by run_date
{%- endmacro %}
