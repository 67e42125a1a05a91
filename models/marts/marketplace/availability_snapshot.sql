with events as (
    select * from {{ ref('fct_events') }}
),

changes as (
    select
        event_id,
        professional_id,
        occurred_at,
        case when event_type = 'became_able_to_propose' then 1 else 0 end as able_count
    from events
    where event_type in ('became_able_to_propose', 'became_unable_to_propose')
),

-- The deltas of a professional's day add up to the last state less the state before the day.
deltas as (
    select
        cast(occurred_at as date) as changed_date,
        able_count - coalesce(
            lag(able_count) over (partition by professional_id order by occurred_at, event_id), 0
        ) as delta
    from changes
),

daily_deltas as (
    select
        changed_date,
        sum(delta) as delta
    from deltas
    group by changed_date
),

-- The last event's day is left out, because the log may end in the middle of it.
bounds as (
    select
        cast(min(cast(occurred_at as date)) as timestamp) as first_day,
        cast(max(cast(occurred_at as date)) as timestamp) - interval '1 day' as last_day
    from events
),

days as (
    select cast(spine.day_at as date) as date_day
    from bounds
    cross join {{ every_day('first_day', 'last_day') }} as spine (day_at)
),

final as (
    select
        days.date_day as date, -- noqa: RF04
        cast(
            sum(coalesce(daily_deltas.delta, 0)) over (order by days.date_day) as bigint
        ) as active_professionals_count
    from days
    left join daily_deltas
        on days.date_day = daily_deltas.changed_date
)

select * from final
