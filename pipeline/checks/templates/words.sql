{#- Words of expectations' SQL that are made of others, each a relation in parentheses. -#}

{#- The rows of the day before whose key hasn't arrived, without NULLs. -#}
{% macro gone(table, key) -%}
(
    select *
    from {{ ended(table) }} as earlier
    where {{ key }} is not null
        and not exists (select 1 from {{ arrived(table) }} as arrived where arrived.{{ key }} = earlier.{{ key }})
)
{%- endmacro %}

{#- The column's values whose share moved by 20 points or more from one day to the next, both of twenty rows or more. -#}
{% macro moved_shares(table, column) -%}
(
    select *
    from (
        select {{ column }}, count(*) filter (where is_today) as row_count,
            count(*) filter (where not is_today) as row_count_before,
            cast(sum(count(*) filter (where is_today)) over () as bigint) as total,
            cast(sum(count(*) filter (where not is_today)) over () as bigint) as total_before
        from (
            select {{ column }}, true as is_today from {{ arrived(table) }} as rows_of_day
            union all
            select {{ column }}, false as is_today from {{ before(table) }} as rows_before
        ) as rows_of_both
        group by {{ column }}
    ) as counted
    where total >= 20 and total_before >= 20
        and abs(1.0 * row_count / total - 1.0 * row_count_before / total_before) >= 0.2
)
{%- endmacro %}
