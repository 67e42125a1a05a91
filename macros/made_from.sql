{#-
    The raw tables, as SQL of a schema and a name, whose rows of the run date are all that the table
    that is being built is made from, beside code. None for a table that is made from history or from
    the pipeline's own records, or whose SQL names the run date.
-#}
{% macro made_from() %}
    {%- set tables = [] -%}
    {%- set ids = [model.unique_id] if execute and model.unique_id in graph.nodes else [] -%}
    {#- The list grows during the loop, until no ancestor and no macro is new. -#}
    {%- for id in ids -%}
        {%- if id in graph.sources -%}
            {%- set source = graph.sources[id] -%}
            {%- if source.schema == 'raw_ops' -%}
                {{ return([]) }}
            {%- endif -%}
            {%- do tables.append("('" ~ source.schema ~ "', '" ~ source.identifier ~ "')") -%}
        {%- elif id in graph.nodes -%}
            {%- set node = graph.nodes[id] -%}
            {%- set is_staged = node.config.schema == 'staging' -%}
            {%- if node.resource_type == 'snapshot' or not is_staged and 'run_date' in node.raw_code -%}
                {{ return([]) }}
            {%- endif -%}
            {%- do ids.extend(node.depends_on.get('nodes', []) | reject('in', ids)) -%}
            {%- if not is_staged -%}
                {%- do ids.extend(node.depends_on.macros | reject('in', ids)) -%}
            {%- endif -%}
        {%- elif id.startswith('macro.' ~ project_name) -%}
            {%- set macro = context[id.split('.') | last].macro -%}
            {%- if 'run_date' in macro.macro_sql -%}
                {{ return([]) }}
            {%- endif -%}
            {%- do ids.extend(macro.depends_on.macros | reject('in', ids)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(tables) }}
{% endmacro %}
