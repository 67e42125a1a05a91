{% macro end_build(results) %}
    {%- if execute and builds_relations() -%}
        {%- set good = [] -%}
        {%- for result in results
            if result.status | string in ['success', 'pass', 'warn', 'no-op'] -%}
            {%- do good.append(result.node.unique_id) -%}
        {%- endfor -%}
        {#- Unit tests test the code, not this day's data, so they may be left out. -#}
        {%- set lacking = graph.nodes.values()
            | selectattr('resource_type', 'in', ['model', 'seed', 'snapshot', 'test'])
            | rejectattr('config.materialized', 'equalto', 'ephemeral')
            | map(attribute='unique_id') | reject('in', good) | list -%}
        {%- set is_part = flags.EMPTY or flags.SAMPLE -%}
        {#- A selected node without a result never ran. -#}
        {%- if good | length < results | length or lacking | select('in', selected_resources) | list -%}
            {%- set state = 'failed' -%}
        {%- else -%}
            {%- set state = 'partial' if lacking or is_part else 'built' -%}
        {%- endif -%}
        {#- Each snapshot with its view: `dbt snapshot` alone reads the rows of staging's last day. -#}
        {%- set history = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'snapshot' -%}
            {%- do history.extend([node.unique_id] + node.depends_on.nodes) -%}
        {%- endfor -%}
        {%- call statement('end_build', auto_begin=true) -%}
            {%- if not is_part and not history | reject('in', good) | list %}
            delete from raw_ops.history_days where run_date = {{ run_date() }};
            insert into raw_ops.history_days (run_date, inputs)
            select
                run_date,
                inputs
            from ({{ history_inputs() }}) as loaded
            where
                run_date = {{ run_date() }}
                -- A load meanwhile has made the mark stale: it is unknown which rows history has.
                and exists (
                    select 1
                    from raw_ops.build_mark
                    where
                        invocation_id = '{{ invocation_id }}'
                        and state = 'building'
                );
            {%- endif %}
            -- What a load has made stale stays stale.
            update raw_ops.build_mark
            set state = '{{ state }}'
            where
                invocation_id = '{{ invocation_id }}'
                and state = 'building';
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}
