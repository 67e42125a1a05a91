with pipeline_steps as (
    select * from {{ ref('stg_ops__pipeline_steps') }}
),

final as (
    select
        run_date,
        step,
        source_name,
        target,
        state,
        started_at,
        ended_at,
        cast(extract(epoch from ended_at - started_at) as decimal(18, 3)) as duration_seconds,
        row_count,
        error,
        command,
        accepted,
        run_at
    from pipeline_steps
)

select * from final
