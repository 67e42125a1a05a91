with accepted_events as (
    select *
    from {{ ref('stg_marketplace__events') }}
    where _reject_reason is null and {{ is_changed() }}
),

final as (
    select
        event_id,
        event_type,
        professional_id,
        occurred_at,
        service_id,
        lead_fee_eur
    from accepted_events
)

select * from final
