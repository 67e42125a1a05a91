{% macro end_history(results) %}
    {%- set done = [] -%}
    {%- for result in results if result.status | string == 'success' -%}
        {%- do done.append(result.node.unique_id) -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'snapshot' -%}
        {#- With its view: `dbt snapshot` alone reads the rows of staging's last day. -#}
        {%- for unique_id in [node.unique_id] + node.depends_on.nodes -%}
            {%- if unique_id not in done -%}
                {{ return('') }}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if flags.EMPTY or flags.SAMPLE -%}
        {{ return('') }}
    {%- endif -%}
    {%- set day = run_day(pinned=true) -%}
    {%- set sql -%}
        delete from raw_ops.history_days where run_date = cast('{{ day }}' as date);
        insert into raw_ops.history_days (run_date, inputs)
        select
            run_date,
            inputs
        from ({{ history_inputs() }}) as loaded
        where
            run_date = cast('{{ day }}' as date)
            -- Loaded again during the build, so it is unknown which rows history has.
            and exists (
                select 1
                from raw_ops.build_mark
                where
                    invocation_id = '{{ invocation_id }}'
                    and inputs = ({{ landed_inputs(day) }})
            );
    {%- endset -%}
    {{ return(sql) }}
{% endmacro %}
