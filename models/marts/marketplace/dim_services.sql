with proposals as (
    select *
    from {{ ref('stg_marketplace__events') }}
    where
        _reject_reason is null
        and event_type = 'proposed'
),

-- Few rows: a service has few names and fees. Splitting every proposal takes longer than all else.
offers as (
    select
        meta_data,
        count(*) as proposal_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        max({{ recency_number('occurred_at', 'event_id') }}) as recency
    from proposals
    group by meta_data
),

split_offers as (
    select
        *,
        cast({{ proposal_part('service_id') }} as bigint) as service_id,
        {{ proposal_part('service_name_nl') }} as service_name_nl,
        {{ proposal_part('service_name_en') }} as service_name_en,
        cast({{ proposal_part('lead_fee_eur') }} as decimal(19, 4)) as lead_fee_eur
    from offers
),

ranked as (
    select
        *,
        sum(proposal_count) over (partition by service_id) as service_count,
        sum(proposal_count) over (
            partition by service_id
            order by lead_fee_eur, service_name_nl, service_name_en
            rows between unbounded preceding and current row
        ) as last_fee_rank,
        row_number() over (partition by service_id order by recency desc) as recency_rank
    from split_offers
),

services as (
    select
        service_id,
        -- A renamed service has its latest name.
        max(case when recency_rank = 1 then service_name_nl end) as service_name_nl,
        max(case when recency_rank = 1 then service_name_en end) as service_name_en,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        min(lead_fee_eur) as lead_fee_min_eur,
        max(lead_fee_eur) as lead_fee_max_eur,
        -- The one fee in the middle, or the two: engines interpolate medians in floating point.
        min(
            case when last_fee_rank * 2 >= service_count then lead_fee_eur end
        ) as lower_middle_fee_eur,
        max(
            case
                when (last_fee_rank - proposal_count + 1) * 2 <= service_count + 2
                    then lead_fee_eur
            end
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
