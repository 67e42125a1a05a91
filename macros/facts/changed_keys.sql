{#-
    Keys whose rows in raw differ between a day and the run date; with `columns`, only if one of these
    does. Only rows that the days don't share are compared. They may be equal: a file that is written
    whole has rows of its own.
-#}
{% macro changed_keys(source_name, table_name, key, day, columns=[], staged_key=none) -%}
    {%- set staged_key = staged_key or 'cast(' ~ key ~ ' as bigint)' -%}
    {%- set raw = source(source_name, table_name) -%}
    {%- set stored = raw.incorporate(path={'schema': raw.schema ~ '__versions'}) -%}
    {%- set compared = columns | list -%}
    {%- for column in adapter.get_columns_in_relation(raw) if not columns and column.name != '_run_date' -%}
        {%- do compared.append(adapter.quote(column.name)) -%}
    {%- endfor -%}
    {#- A day that isn't loaded has no rows. -#}
    {%- set loaded -%}
        select run_date
        from raw_ops.landed_tables
        where
            raw_schema = '{{ raw.schema }}'
            and table_name = '{{ raw.identifier }}'
    {%- endset -%}
    {%- set conditions = [] -%}
    {%- for one in [day, run_date()] -%}
        {%- do conditions.append(
            '(_valid_from <= ' ~ one ~ ' and _valid_to > ' ~ one ~ ' and ' ~ one ~ ' in (' ~ loaded ~ '))'
        ) -%}
    {%- endfor -%}
    {%- set on_day, on_run_date = conditions -%}
    select {{ staged_key }} as {{ key }}
    from {{ stored }}
    where {{ on_day }} <> {{ on_run_date }}
    group by {{ ([staged_key] + compared) | join(', ') }}
    having
        count(case when {{ on_day }} then 1 end) <> count(case when {{ on_run_date }} then 1 end)
{%- endmacro %}
