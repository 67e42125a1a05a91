with accepted_events as (
    select *
    from {{ ref('stg_marketplace__events') }}
    where _reject_reason is null
),

professionals as (
    select
        professional_id,
        min(case when event_type = 'created_account' then occurred_at end) as created_at,
        min(
            case when event_type = 'became_able_to_propose' then occurred_at end
        ) as first_able_at
    from accepted_events
    group by professional_id
),

availability_changes as (
    select
        professional_id,
        event_type = 'became_able_to_propose' as is_able,
        row_number() over (
            partition by professional_id order by occurred_at desc, event_id desc
        ) as recency_rank
    from accepted_events
    where event_type in ('became_able_to_propose', 'became_unable_to_propose')
),

final as (
    select
        professionals.professional_id,
        professionals.created_at,
        professionals.first_able_at,
        coalesce(availability_changes.is_able, false) as is_able
    from professionals
    left join availability_changes
        on
            professionals.professional_id = availability_changes.professional_id
            and availability_changes.recency_rank = 1
)

select * from final
