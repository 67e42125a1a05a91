{% macro refuse_missing_loads(day) %}
    {%- if day is none -%}
        {{ exceptions.raise_compiler_error(
            "no day is loaded into raw yet" ~ next_command('load', 'D') ~ " (D is YYYY-MM-DD)"
        ) }}
    {%- endif -%}
    {%- set loaded = [] -%}
    {%- if landed_tables_exist() -%}
        {%- set sql -%}
            select raw_schema, table_name
            from raw_ops.landed_tables
            where run_date = cast('{{ day }}' as date)
        {%- endset -%}
        {%- for row in run_query(sql) -%}
            {%- do loaded.append(row[0] ~ '.' ~ row[1]) -%}
        {%- endfor -%}
    {%- endif -%}
    {#- A source can't be missing on days that it isn't part of. -#}
    {%- set absent = [] -%}
    {%- if adapter.get_relation(target.database, 'raw_ops', 'source_days') is not none -%}
        {%- set sql -%}
            select raw_schema
            from raw_ops.source_days
            where since is null or since > cast('{{ day }}' as date)
        {%- endset -%}
        {%- do absent.extend(run_query(sql).columns[0].values()) -%}
    {%- endif -%}
    {%- set missing = [] -%}
    {%- for source in needed_sources() -%}
        {%- set name = source.schema ~ '.' ~ source.identifier -%}
        {#- raw_ops is the loader's record of its loads and never lands. -#}
        {%- if source.schema not in ['raw_ops'] + absent and name not in loaded -%}
            {%- do missing.append(name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if missing -%}
        {{ exceptions.raise_compiler_error(
            "run date " ~ day ~ " is not loaded: " ~ missing | sort | join(', ')
            ~ next_command('load', day)
        ) }}
    {%- endif -%}
{% endmacro %}
