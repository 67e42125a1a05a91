{% macro run_day(pinned=false) %}
    {%- set given = var('run_date', none) -%}
    {%- if given is not none -%}
        {{ return(valid_date(given)) }}
    {%- endif -%}
    {%- if pinned and builds_relations() -%}
        {#- The day with which this build began: a load that ends meanwhile must not change it. -#}
        {%- set sql -%}
            select run_date from raw_ops.build_mark where invocation_id = '{{ invocation_id }}'
        {%- endset -%}
    {%- elif landed_tables_exist() -%}
        {%- set sql = 'select max(run_date) as run_date from raw_ops.landed_tables' -%}
    {%- else -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set days = run_query(sql).columns[0].values() -%}
    {{ return((days[0] | string)[:10] if days and days[0] is not none else none) }}
{% endmacro %}
