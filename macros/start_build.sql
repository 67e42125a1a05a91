{% macro start_build() %}
    {%- set latest = '(select max(run_date) from raw_ops.landed_tables)' -%}
    {%- set asked = latest if var('run_date', none) is none else run_date() -%}
    {%- set writes = flags.WHICH in ['build', 'run', 'seed', 'snapshot'] -%}
    {%- if execute and writes and var('schema_suffix', '') -%}
        {%- for id in selected_resources if id in graph.nodes -%}
            {%- set node = graph.nodes[id] -%}
            {%- if node.resource_type in ['model', 'seed', 'snapshot']
                and node.config.schema != 'staging' -%}
                {#- Built from another schema's day, it would be silently wrong. -#}
                {{ exceptions.raise_compiler_error(
                    "schema_suffix is for staging and tests alone, not for " ~ node.name
                    ~ "; next: dbt build without schema_suffix"
                ) }}
            {%- endif -%}
        {%- endfor -%}
        {%- do refuse_missing_loads(asked) -%}
    {%- elif execute and builds_relations() -%}
        {%- do refuse_engine() -%}
        {%- set day = refuse_missing_loads(asked) -%}
        {%- set snapshots = graph.nodes.values()
            | selectattr('resource_type', 'equalto', 'snapshot')
            | map(attribute='unique_id') | list -%}
        {%- set written = selected_resources | select('in', snapshots) | list -%}
        {%- set read = [] -%}
        {%- for id in selected_resources if id.startswith('model.') -%}
            {%- do read.extend(graph.nodes[id].depends_on.nodes | select('in', snapshots)) -%}
        {%- endfor -%}
        {%- if written and adapter.get_relation(target.database, 'raw_ops', 'history_days') is not none -%}
            {%- set pruned = run_query('select ' ~ last_pruned_day()).columns[0].values()[0] -%}
            {%- if pruned is not none and (pruned | string)[:10] > day -%}
                {{ exceptions.raise_compiler_error(
                    "history can't go back to run date " ~ day ~ ", because "
                    ~ (pruned | string)[:10] ~ " has been pruned; next: tradewinds status"
                ) }}
            {%- endif -%}
        {%- endif -%}
        {%- if written or read -%}
            {%- set gaps = run_query(history_gaps(day, day_too=not written)).columns[0].values() -%}
            {%- if gaps -%}
                {{ exceptions.raise_compiler_error(
                    "history is behind run date " ~ day ~ ", it lacks "
                    ~ gaps | map('string') | join(', ')
                    ~ "; next: tradewinds build --run-date " ~ day ~ " --target " ~ target.name
                ) }}
            {%- endif -%}
        {%- endif -%}
        {#-
            Run here instead of returned to the hook: an error here ends the invocation, while dbt
            continues after a hook's error. Committed before the first model, so that a killed build
            leaves `building`, and too few days in history's record, never too many.
        -#}
        {%- call statement('start_build', auto_begin=true) -%}
            create table if not exists raw_ops.history_days (
                run_date date,
                inputs varchar
            );
            create table if not exists raw_ops.build_mark (
                run_date date,
                state varchar,
                invocation_id varchar
            );
            create table if not exists raw_ops.fact_days (
                fact varchar,
                run_date date,
                code varchar,
                invocation_id varchar
            );
            -- Facts of a build that wasn't whole and good, or that a load has made stale, are rebuilt.
            delete from raw_ops.fact_days
            where
                invocation_id not in (
                    select invocation_id from raw_ops.build_mark where state = 'built'
                );
            {%- if written %}
            delete from raw_ops.history_days where run_date >= cast('{{ day }}' as date);
            {%- endif %}
            delete from raw_ops.build_mark;
            insert into raw_ops.build_mark (run_date, state, invocation_id)
            values (cast('{{ day }}' as date), 'building', '{{ invocation_id }}');
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}
