{% macro refuse_missing_loads(day) %}
    {%- if adapter.get_relation(target.database, 'raw_ops', 'landed_tables') is none -%}
        {%- set loaded = [] -%}
    {%- else -%}
        {%- set sql -%}
            select
                asked.run_date,
                landed.raw_schema || '.' || landed.table_name as table_name
            from (select {{ day }} as run_date) as asked
            left join raw_ops.landed_tables as landed
                on asked.run_date = landed.run_date
        {%- endset -%}
        {%- set loaded = run_query(sql).rows -%}
    {%- endif -%}
    {%- if not loaded or loaded[0][0] is none -%}
        {{ exceptions.raise_compiler_error(
            "no day is loaded into raw yet; next: tradewinds load --target " ~ target.name
            ~ " --run-date " ~ var('run_date', 'D (D is YYYY-MM-DD)')
        ) }}
    {%- endif -%}
    {%- set day = (loaded[0][0] | string)[:10] -%}
    {%- set tables = loaded | map(attribute=1) | list -%}
    {#- raw_ops is the loader's record and never lands; sources can't be missing before they exist. -#}
    {%- set absent = ['raw_ops'] -%}
    {%- if adapter.get_relation(target.database, 'raw_ops', 'source_days') is not none -%}
        {%- set sql -%}
            select raw_schema
            from raw_ops.source_days
            where since is null or since > cast('{{ day }}' as date)
        {%- endset -%}
        {%- do absent.extend(run_query(sql).columns[0].values()) -%}
    {%- endif -%}
    {#- What is selected and all its ancestors; `dbt retry` doesn't list what it runs. -#}
    {%- set needed = (selected_resources or graph.sources) | list -%}
    {%- set missing = [] -%}
    {#- The list grows during the loop, until no ancestor is new. -#}
    {%- for id in needed -%}
        {%- if id in graph.nodes -%}
            {%- do needed.extend(graph.nodes[id].depends_on.nodes | reject('in', needed)) -%}
        {%- elif id in graph.sources -%}
            {%- set source = graph.sources[id] -%}
            {%- set name = source.schema ~ '.' ~ source.identifier -%}
            {%- if source.schema not in absent and name not in tables -%}
                {%- do missing.append(name) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if missing -%}
        {{ exceptions.raise_compiler_error(
            "run date " ~ day ~ " is not loaded: " ~ missing | sort | join(', ')
            ~ "; next: tradewinds load --run-date " ~ day ~ " --target " ~ target.name
        ) }}
    {%- endif -%}
    {{ return(day) }}
{% endmacro %}
