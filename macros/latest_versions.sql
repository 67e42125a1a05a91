{#-
    Filtered by the run date although history ends there after a build, so that a mart built alone
    is right when history is ahead.
-#}
{% macro latest_versions(snapshot, key) -%}
    select
        *,
        coalesce(dbt_valid_to <= {{ run_date() }}, false) as is_deleted
    from (
        select
            *,
            row_number() over (
                partition by {{ key }} order by dbt_valid_from desc
            ) as _recency_rank
        from {{ snapshot }}
        where dbt_valid_from <= {{ run_date() }}
    ) as versions
    where _recency_rank = 1
{%- endmacro %}
