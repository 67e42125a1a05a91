with landed_tables as (
    select *
    from {{ ref('stg_ops__landed_tables') }}
    where run_date <= {{ run_date() }}
),

final as (
    select
        run_date,
        count(distinct source_name) as source_count,
        count(*) as table_count,
        cast(sum(row_count) as bigint) as row_count,
        cast(sum(rejected_count) as bigint) as rejected_count,
        count(distinct case when is_sample then source_name end) as sample_source_count,
        run_date = max(run_date) over () as is_latest
    from landed_tables
    group by run_date
)

select * from final
