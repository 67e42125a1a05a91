with figures as (
    select * from {{ ref('int_stage_figures') }}
),

mart_totals as (
    select * from {{ ref('int_mart_totals') }}
),

with_marts as (
    select
        figures.*,
        mart_totals.row_count as mart_count,
        mart_totals.key_sum as mart_key_sum,
        mart_totals.amount_sum as mart_amount_sum
    from figures
    -- The marts have only one day.
    left join mart_totals
        on
            figures.source_name = mart_totals.source_name
            and figures.table_name = mart_totals.table_name
            and figures.run_date = {{ run_date() }}
),

compared as (
    select
        *,
        coalesce(
            broken_between, {{ stage_difference('staging and mart', 'staging', 'mart') }}
        ) as first_broken_between
    from with_marts
),

final as (
    select
        run_date,
        source_name,
        table_name,
        source_count as read_count,
        rejected_at_extract_count,
        landing_count as landed_count,
        raw_count,
        staging_count,
        rejected_in_staging_count,
        mart_count,
        source_key_sum,
        landing_key_sum,
        raw_key_sum,
        staging_key_sum,
        mart_key_sum,
        source_amount_sum,
        landing_amount_sum,
        raw_amount_sum,
        staging_amount_sum,
        mart_amount_sum,
        first_broken_between is null as is_reconciled,
        cast(first_broken_between as varchar) as broken_between,
        _run_id
    from compared
)

select * from final
