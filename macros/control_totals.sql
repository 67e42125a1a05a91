{% macro control_totals(
    relation, source_name, table_name, key, amount=none, rows='true', day=none
) -%}
    select
        {%- if day %}
        cast({{ day }} as date) as run_date,
        {%- endif %}
        cast('{{ source_name }}' as varchar) as source_name,
        cast('{{ table_name }}' as varchar) as table_name,
        count(*) as row_count,
        cast(coalesce(sum({{ key }}), 0) as decimal(38, 0)) as key_sum,
        cast(
            {{ 'coalesce(sum(' ~ amount ~ '), 0)' if amount else 'null' }} as decimal(38, 4)
        ) as amount_sum
    from {{ relation }}
    where {{ rows }}
    {%- if day %}
    group by {{ day }}
    {%- endif %}
{%- endmacro %}
