with source as (
    select * from {{ source('ops', 'pipeline_steps') }}
),

renamed as (
    select
        -- text
        step,
        source as source_name,
        target,
        state,
        error,
        command,
        accepted,

        -- numbers
        row_count,
        cast({{ seconds_between('started_at', 'ended_at') }} as decimal(18, 3)) as duration_seconds,

        -- dates
        run_date,

        -- timestamps
        cast(started_at as timestamp) as started_at,
        cast(ended_at as timestamp) as ended_at,
        cast(run_at as timestamp) as run_at
    from source
)

select * from renamed
