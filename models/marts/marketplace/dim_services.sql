with proposals as (
    select *
    from {{ ref('stg_marketplace__events') }}
    where
        _reject_reason is null
        and service_id is not null
),

ranked as (
    select
        service_id,
        service_name_nl,
        service_name_en,
        occurred_at,
        lead_fee_eur,
        count(*) over (partition by service_id) as proposal_count,
        row_number() over (partition by service_id order by lead_fee_eur) as fee_rank,
        row_number() over (
            partition by service_id order by occurred_at desc, event_id desc
        ) as recency_rank
    from proposals
),

services as (
    select
        service_id,
        -- A service that was renamed goes by its latest name.
        max(case when recency_rank = 1 then service_name_nl end) as service_name_nl,
        max(case when recency_rank = 1 then service_name_en end) as service_name_en,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        min(lead_fee_eur) as lead_fee_min_eur,
        max(lead_fee_eur) as lead_fee_max_eur,
        -- The one fee in the middle, or the two: engines interpolate medians in floating point.
        min(
            case when fee_rank * 2 >= proposal_count then lead_fee_eur end
        ) as lower_middle_fee_eur,
        max(
            case when fee_rank * 2 <= proposal_count + 2 then lead_fee_eur end
        ) as upper_middle_fee_eur
    from ranked
    group by service_id
),

final as (
    select
        service_id,
        service_name_nl,
        service_name_en,
        first_seen_at,
        last_seen_at,
        cast(lead_fee_min_eur as decimal(19, 4)) as lead_fee_min_eur,
        cast(
            round((lower_middle_fee_eur + upper_middle_fee_eur) * 0.5, 4) as decimal(19, 4)
        ) as lead_fee_median_eur,
        cast(lead_fee_max_eur as decimal(19, 4)) as lead_fee_max_eur
    from services
)

select * from final
