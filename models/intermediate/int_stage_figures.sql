{%- set days = uncounted_days() -%}

with landed_tables as (
    select
        *,
        -- Before hashes named their algorithm, keys of several columns were summed differently.
        content_hash like '%:%' as is_comparable
    from {{ ref('stg_ops__landed_tables') }}
    where run_date in ({{ days }})
),

raw_totals as (
    select *
    from {{ ref('stg_ops__raw_totals') }}
    where run_date in ({{ days }})
),

staging_totals as (
    select * from {{ ref('int_staging_totals') }}
),

-- Raw also has rows that broke a rule, so it is compared with all rows of staging.
staged as (
    select
        source_name,
        table_name,
        row_count as staging_count,
        key_sum as staging_key_sum,
        amount_sum as staging_amount_sum,
        rejected_row_count as rejected_in_staging_count,
        row_count + rejected_row_count as staged_count,
        key_sum + rejected_key_sum as staged_key_sum,
        amount_sum + rejected_amount_sum as staged_amount_sum
    from staging_totals
),

figures as (
    select
        landed_tables.run_date,
        landed_tables.source_name,
        landed_tables.table_name,
        landed_tables._run_id,
        landed_tables.read_count as source_count,
        landed_tables.rejected_count as rejected_at_extract_count,
        landed_tables.row_count as landing_count,
        landed_tables.row_count + landed_tables.rejected_count as accounted_count,
        cast(
            case when landed_tables.is_comparable then landed_tables.source_key_sum end
            as decimal(38, 0)
        ) as source_key_sum,
        cast(
            case when landed_tables.is_comparable then landed_tables.landing_key_sum end
            as decimal(38, 0)
        ) as landing_key_sum,
        cast(
            case when landed_tables.is_comparable then landed_tables.landing_key_sum end
            as decimal(38, 0)
        ) as accounted_key_sum,
        landed_tables.source_amount_sum,
        landed_tables.landing_amount_sum,
        landed_tables.landing_amount_sum as accounted_amount_sum,
        staged.staging_count,
        staged.rejected_in_staging_count,
        staged.staged_count,
        staged.staging_key_sum,
        staged.staged_key_sum,
        staged.staging_amount_sum,
        staged.staged_amount_sum,
        -- A table of staging has no row in raw_totals if raw has none for the day.
        case
            when known.table_name is not null then coalesce(raw_totals.row_count, 0)
        end as raw_count,
        cast(
            case when known.table_name is not null then coalesce(raw_totals.key_sum, 0) end
            as decimal(38, 0)
        ) as raw_key_sum,
        cast(
            case
                when known.staging_amount_sum is not null then coalesce(raw_totals.amount_sum, 0)
            end as decimal(38, 4)
        ) as raw_amount_sum
    from landed_tables
    left join raw_totals
        on
            landed_tables.run_date = raw_totals.run_date
            and landed_tables.source_name = raw_totals.source_name
            and landed_tables.table_name = raw_totals.table_name
    left join staged as known
        on
            landed_tables.source_name = known.source_name
            and landed_tables.table_name = known.table_name
    -- Staging shows only one day.
    left join staged
        on
            landed_tables.source_name = staged.source_name
            and landed_tables.table_name = staged.table_name
            and landed_tables.run_date = {{ run_date() }}
),

final as (
    select
        *,
        coalesce(
            {{ stage_difference('source and landing', 'source', 'accounted') }},
            {{ stage_difference('landing and raw', 'landing', 'raw') }},
            {{ stage_difference('raw and staging', 'raw', 'staged') }}
        ) as broken_between
    from figures
)

select * from final
