with source as (
    select *
    from {{ source('people', 'jobs') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(id as bigint) as job_id,

        -- text
        cast(name as varchar) as job_name,

        -- booleans
        cast(is_active as boolean) as is_active,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
