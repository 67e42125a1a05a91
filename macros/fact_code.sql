{#-
    A hash of all that makes a fact's rows, except raw's rows: the code of the fact and its ancestors,
    with their macros, and raw's columns. Asked often a build, so the answers are kept in the graph.
-#}
{% macro fact_code() %}
    {%- set kept = graph.nodes[model.unique_id].setdefault('fact_codes', {}) -%}
    {%- if invocation_id in kept -%}
        {{ return(kept[invocation_id]) }}
    {%- endif -%}
    {%- set parts = [tojson(model.columns), tojson(model.constraints)] -%}
    {%- set ids = [model.unique_id] -%}
    {%- if model.name ~ '_changes' in context -%}
        {%- do ids.append('macro.' ~ project_name ~ '.' ~ model.name ~ '_changes') -%}
    {%- endif -%}
    {#- The list grows during the loop, until no ancestor and no macro is new. -#}
    {%- for id in ids -%}
        {%- if id in graph.sources -%}
            {%- set source = graph.sources[id] -%}
            {%- set answers = source.setdefault('raw_columns', {}) -%}
            {%- if invocation_id not in answers -%}
                {%- set raw = adapter.get_relation(source.database, source.schema, source.identifier) -%}
                {%- set columns = [] -%}
                {%- for column in adapter.get_columns_in_relation(raw) -%}
                    {%- do columns.append(column.name ~ ' ' ~ column.data_type) -%}
                {%- endfor -%}
                {%- do answers.update({invocation_id: columns}) -%}
            {%- endif -%}
            {%- do parts.extend(answers[invocation_id]) -%}
        {%- elif id in graph.nodes -%}
            {%- set node = graph.nodes[id] -%}
            {%- do parts.append(node.checksum.checksum) -%}
            {%- do ids.extend((node.depends_on.get('nodes', []) + node.depends_on.macros) | reject('in', ids)) -%}
        {%- elif id.startswith('macro.' ~ project_name) -%}
            {%- set macro = context[id.split('.') | last].macro -%}
            {%- do parts.append(macro.macro_sql) -%}
            {%- do ids.extend(macro.depends_on.macros | reject('in', ids)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do kept.update({invocation_id: local_md5(parts | join('|'))}) -%}
    {{ return(kept[invocation_id]) }}
{% endmacro %}
