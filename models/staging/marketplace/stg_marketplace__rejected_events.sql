with source as (
    select
        *,
        {{ reject_reason('events') }} as reject_reason
    from {{ source('marketplace', 'event_log') }}
),

renamed as (
    select
        -- text
        cast('event_log' as varchar) as source_name,
        cast('event_log' as varchar) as table_name,
        cast(reject_reason as varchar) as rule, -- noqa: RF04
        {{ row_text([
            'event_id',
            'event_type',
            'professional_id_anonymized',
            'created_at',
            'meta_data'
        ], ';') }} as raw_text,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
    where reject_reason is not null
)

select * from renamed
