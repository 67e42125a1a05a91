with accepted_events as (
    select *
    from {{ ref('stg_marketplace__events') }}
    where _reject_reason is null
),

event_types as (
    select * from {{ ref('event_types') }}
),

event_totals as (
    select
        event_type,
        count(*) as event_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from accepted_events
    group by event_type
),

final as (
    select
        event_types.event_type,
        event_types.event_type_description,
        coalesce(event_totals.event_count, 0) as event_count,
        event_totals.first_seen_at,
        event_totals.last_seen_at
    from event_types
    left join event_totals
        on event_types.event_type = event_totals.event_type
)

select * from final
