{% macro refuse_missing_loads(day) %}
    {%- if day is none -%}
        {{ exceptions.raise_compiler_error(
            "no day is loaded into raw yet; next: tradewinds load --run-date D (D is YYYY-MM-DD)"
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
    {%- set missing = [] -%}
    {%- for source in needed_sources() -%}
        {%- set name = source.schema ~ '.' ~ source.identifier -%}
        {#- raw_ops is the loader's own account of what it loaded, not a thing that lands. -#}
        {%- if source.schema != 'raw_ops' and name not in loaded -%}
            {%- do missing.append(name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if missing -%}
        {{ exceptions.raise_compiler_error(
            "run date " ~ day ~ " is not loaded: " ~ missing | sort | join(', ')
            ~ "; next: tradewinds load --run-date " ~ day
        ) }}
    {%- endif -%}
{% endmacro %}
