{#-
    Days that are counted, reconciled and unchanged since aren't read again, so that a build's cost
    doesn't grow with the number of earlier days.
-#}
{% macro uncounted_days() -%}
    {%- set days = [] -%}
    {%- if execute and builds_relations() -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.fct_reconciliation'] -%}
        {%- set counted = adapter.get_relation(node.database, node.schema, node.alias) -%}
        {%- set sql -%}
            select distinct landed.run_date
            from raw_ops.landed_tables as landed
            {%- if counted is not none and not flags.FULL_REFRESH %}
            left join {{ counted }} as counted
                on
                    landed.run_date = counted.run_date
                    and landed.source = counted.source_name
                    and landed.table_name = counted.table_name
                    and landed.run_id = counted._run_id
                    and counted.is_reconciled
            where counted.run_date is null
            {%- endif %}
            order by 1
        {%- endset -%}
        {%- for day in run_query(sql).columns[0].values() -%}
            {%- do days.append("cast('" ~ (day | string)[:10] ~ "' as date)") -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(([run_date()] + days) | unique | join(', ')) }}
{%- endmacro %}
