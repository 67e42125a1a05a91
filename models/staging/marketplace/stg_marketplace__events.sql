with source as (
    select
        *,
        nullif(meta_data, '') is not null as has_meta_data,
        -- Integer, two names without underscores, amount: what fits its column without rounding.
        coalesce(
            meta_data ~ '^[0-9]{1,18}_[^_]+_[^_]+_[0-9]{1,15}([.][0-9]{1,4})?$', false
        ) as has_valid_meta_data
    from {{ source('marketplace', 'event_log') }}
    where _run_date = {{ run_date() }}
),

marked as (
    select
        *,
        case
            when event_id is null then 'missing_event_id'
            when professional_id_anonymized is null then 'missing_professional_id'
            when created_at is null then 'missing_created_at'
            when
                event_type is null
                or event_type not in (
                    'created_account',
                    'became_able_to_propose',
                    'became_unable_to_propose',
                    'proposed'
                )
                then 'unknown_event_type'
            when event_type <> 'proposed' and has_meta_data then 'unexpected_meta_data'
            when event_type = 'proposed' and not has_meta_data then 'missing_meta_data'
            when event_type = 'proposed' and not has_valid_meta_data then 'malformed_meta_data'
        end as reject_reason,
        event_type = 'proposed' and has_valid_meta_data as is_proposal
    from source
),

renamed as (
    select
        -- ids
        cast(event_id as bigint) as event_id,
        cast(professional_id_anonymized as bigint) as professional_id,
        cast(case when is_proposal then split_part(meta_data, '_', 1) end as bigint) as service_id,

        -- text
        cast(event_type as varchar) as event_type,
        case when is_proposal then split_part(meta_data, '_', 2) end as service_name_nl,
        case when is_proposal then split_part(meta_data, '_', 3) end as service_name_en,
        cast(meta_data as varchar) as meta_data,

        -- numbers
        cast(
            case when is_proposal then split_part(meta_data, '_', 4) end as decimal(19, 4)
        ) as lead_fee_eur,

        -- timestamps
        cast(created_at as timestamp) as occurred_at,

        -- plumbing
        cast(reject_reason as varchar) as _reject_reason,
        cast(_run_date as date) as _run_date
    from marked
)

select * from renamed
