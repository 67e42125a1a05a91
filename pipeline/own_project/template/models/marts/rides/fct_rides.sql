with rides as (
    select * from {{ ref('stg_rides__rides') }}
),

final as (
    select
        ride_id,
        station,
        duration_minutes,
        fare_eur,
        duration_minutes >= 60 as is_long,
        cast(started_at as date) as started_date,
        started_at
    from rides
)

select * from final
