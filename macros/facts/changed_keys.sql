{#-
    Keys whose rows in raw differ between a day and the run date; with `columns`, only if one of these
    does.
-#}
{% macro changed_keys(source_name, table_name, key, day, columns=[], staged_key=none) -%}
    {%- set staged_key = staged_key or 'cast(' ~ key ~ ' as bigint)' -%}
    {%- set raw = source(source_name, table_name) -%}
    {%- set versions = adapter.get_relation(
        raw.database, raw.schema ~ '__versions', raw.identifier
    ) -%}
    {%- set columns = columns | list -%}
    {%- set on_day, on_run_date = '_run_date = ' ~ day, '_run_date = ' ~ run_date() -%}
    {%- if versions is not none -%}
        {%- set on_day = '(_valid_from <= ' ~ day ~ ' and _valid_to > ' ~ day ~ ')' -%}
        {%- set on_run_date
            = '(_valid_from <= ' ~ run_date() ~ ' and _valid_to > ' ~ run_date() ~ ')' -%}
    {%- elif not columns -%}
        {%- for column in adapter.get_columns_in_relation(raw) if column.name != '_run_date' -%}
            {%- do columns.append(adapter.quote(column.name)) -%}
        {%- endfor -%}
    {%- endif -%}
    select {{ staged_key }} as {{ key }}
    from {{ versions or raw }}
    where ({{ on_day }}) <> ({{ on_run_date }})
    {%- if columns %}
    group by {{ ([staged_key] + columns) | join(', ') }}
    having
        count(case when {{ on_day }} then 1 end) <> count(case when {{ on_run_date }} then 1 end)
    {%- endif %}
{%- endmacro %}
