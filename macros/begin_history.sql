{% macro begin_history(day) %}
    {%- set use = history_use() -%}
    {%- set snapshots = graph.nodes.values() | selectattr('resource_type', 'equalto', 'snapshot') -%}
    {%- set missing = [] -%}
    {%- for node in snapshots -%}
        {%- if adapter.get_relation(node.database, node.schema, node.alias) is none -%}
            {%- do missing.append(node.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- call statement('begin_history', auto_begin=true) -%}
        create table if not exists raw_ops.history_days (
            run_date date,
            inputs varchar
        );
        {%- if missing and use != 'none' %}
        -- A missing snapshot has no days.
        delete from raw_ops.history_days;
        {%- elif use == 'writes' %}
        delete from raw_ops.history_days where run_date >= cast('{{ day }}' as date);
        {%- endif %}
    {%- endcall -%}
    {%- do adapter.commit() -%}
{% endmacro %}
