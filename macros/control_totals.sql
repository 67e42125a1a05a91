{% macro control_totals(table, rows='true', prefix='') -%}
    {%- set counted = '' if rows == 'true' else ' filter (where ' ~ rows ~ ')' -%}
    {%- set amount = 'coalesce(sum(' ~ table.amount ~ ')' ~ counted ~ ', 0)' -%}
    count(*){{ counted }} as {{ prefix }}row_count,
        cast(coalesce(sum({{ table.key }}){{ counted }}, 0) as decimal(38, 0)) as {{ prefix }}key_sum,
        cast({{ amount if table.amount else 'null' }} as decimal(38, 4)) as {{ prefix }}amount_sum
{%- endmacro %}
