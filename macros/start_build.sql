{% macro start_build() %}
    {%- if execute and flags.WHICH == 'build' and var('schema_suffix', '') -%}
        {%- do refuse_beyond_staging() -%}
        {%- do refuse_missing_loads(run_day()) -%}
    {%- elif execute and builds_relations() -%}
        {%- set day = run_day() -%}
        {%- do refuse_missing_loads(day) -%}
        {%- do begin_history(day) -%}
        {%- do refuse_history_gaps(day) -%}
        {#-
            Run here instead of returned to the hook: an error here ends the invocation, while dbt
            continues after a hook's error. Committed before the first model, so that a killed build
            leaves `building`.
        -#}
        {%- call statement('start_build', auto_begin=true) -%}
            create table if not exists raw_ops.build_mark (
                run_date date,
                state varchar,
                inputs varchar,
                invocation_id varchar
            );
            delete from raw_ops.build_mark;
            insert into raw_ops.build_mark (run_date, state, inputs, invocation_id)
            select
                cast('{{ day }}' as date) as run_date,
                'building' as state,
                ({{ landed_inputs(day) }}) as inputs,
                '{{ invocation_id }}' as invocation_id;
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}
