{#- The input of each day to history. A day counts as loaded when all tables with history are. -#}
{% macro history_inputs() -%}
    {%- set tables = [] -%}
    {%- for node in graph.sources.values() if execute and node.config.meta.has_history -%}
        {%- do tables.append("'" ~ node.schema ~ '.' ~ node.identifier ~ "'") -%}
    {%- endfor -%}
    select
        run_date,
        md5(
            {{ text_list(
                "concat_ws('|', table_name, row_count, content_hash)", ',', 'table_name, raw_schema'
            ) }}
        ) as inputs
    from raw_ops.landed_tables
    where raw_schema || '.' || table_name in ({{ tables | sort | join(', ') or 'null' }})
    group by run_date
    having count(*) = {{ tables | length }}
{%- endmacro %}
