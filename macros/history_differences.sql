{#- EXCEPT treats NULLs as equal and compares bytes; ALL also finds repeated versions. -#}
{% macro history_differences(snapshot, staged, key) -%}
    {%- set columns = [key] -%}
    {%- if execute -%}
        {#- Columns of the view, so that a column missing in the snapshot is an error. -#}
        {%- set columns = adapter.get_columns_in_relation(staged)
            | map(attribute='name') | reject('equalto', '_run_date') | list -%}
    {%- endif -%}
    {%- set valid = 'select ' ~ columns | join(', ') ~ ' from ' ~ snapshot
        ~ ' where dbt_valid_from <= ' ~ run_date()
        ~ ' and (dbt_valid_to is null or dbt_valid_to > ' ~ run_date() ~ ')' -%}
    {%- set held = 'select ' ~ columns | join(', ') ~ ' from ' ~ staged -%}
    select
        '{{ snapshot.identifier }}' as snapshot_name,
        cast({{ key }} as varchar) as snapshot_key,
        'not in history' as problem
    from ({{ held }} except all {{ valid }}) as missing
    union all
    select
        '{{ snapshot.identifier }}' as snapshot_name,
        cast({{ key }} as varchar) as snapshot_key,
        'not in the source' as problem
    from ({{ valid }} except all {{ held }}) as unexpected
{%- endmacro %}
