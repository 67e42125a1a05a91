with landed_tables as (
    select *
    from {{ ref('stg_ops__landed_tables') }}
    where run_date <= {{ run_date() }}
),

rejected as (
    select
        run_date,
        count(*) as rejected_count
    from {{ ref('rejected_rows') }}
    group by run_date
),

landed as (
    select
        run_date,
        count(distinct source_name) as source_count,
        count(*) as table_count,
        cast(sum(row_count) as bigint) as row_count,
        count(distinct case when is_sample then source_name end) as sample_source_count
    from landed_tables
    group by run_date
),

final as (
    select
        landed.run_date,
        landed.source_count,
        landed.table_count,
        landed.row_count,
        coalesce(rejected.rejected_count, 0) as rejected_count,
        landed.sample_source_count,
        landed.run_date = max(landed.run_date) over () as is_latest
    from landed
    left join rejected
        on landed.run_date = rejected.run_date
)

select * from final
