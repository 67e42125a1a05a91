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
        duration_seconds,
        row_count,
        error,
        command,
        accepted,
        run_at
    from pipeline_steps
)

select * from final
