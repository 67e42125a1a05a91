with source as (
    select *
    from {{ source('marketplace', 'event_log') }}
    where _run_date = {{ run_date() }}
),

marked as (
    select
        *,
        {{ reject_reason('events') }} as reject_reason
    from source
),

-- A rejected row's meta data isn't split: its parts may not fit their columns.
proposals as (
    select
        *,
        event_type = 'proposed' and reject_reason is null as is_proposal
    from marked
),

renamed as (
    select
        -- ids
        cast(event_id as bigint) as event_id,
        cast(professional_id_anonymized as bigint) as professional_id,
        cast(
            case when is_proposal then {{ proposal_part('service_id') }} end as bigint
        ) as service_id,

        -- text
        cast(event_type as varchar) as event_type,
        case when is_proposal then {{ proposal_part('service_name_nl') }} end as service_name_nl,
        case when is_proposal then {{ proposal_part('service_name_en') }} end as service_name_en,
        cast(meta_data as varchar) as meta_data,

        -- numbers
        cast(
            case when is_proposal then {{ proposal_part('lead_fee_eur') }} end as decimal(19, 4)
        ) as lead_fee_eur,

        -- timestamps
        cast(created_at as timestamp) as occurred_at,

        -- plumbing
        cast(reject_reason as varchar) as _reject_reason,
        cast(_run_date as date) as _run_date
    from proposals
)

select * from renamed
