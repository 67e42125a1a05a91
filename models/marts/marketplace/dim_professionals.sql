with accepted_events as (
    select *
    from {{ ref('stg_marketplace__events') }}
    where _reject_reason is null and {{ is_changed() }}
),

professionals as (
    select
        professional_id,
        min(case when event_type = 'created_account' then occurred_at end) as created_at,
        min(
            case when event_type = 'became_able_to_propose' then occurred_at end
        ) as first_able_at,
        max(
            case
                when event_type = 'became_able_to_propose'
                    then {{ recency_number('occurred_at', 'event_id') }}
            end
        ) as last_able,
        max(
            case
                when event_type = 'became_unable_to_propose'
                    then {{ recency_number('occurred_at', 'event_id') }}
            end
        ) as last_unable
    from accepted_events
    group by professional_id
),

final as (
    select
        professional_id,
        created_at,
        first_able_at,
        last_able is not null and coalesce(last_able > last_unable, true) as is_able
    from professionals
)

select * from final
