with source as (
    select *
    from {{ source('northwind', 'us_states') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(state_id as bigint) as state_id,

        -- text
        cast(state_name as varchar) as state_name,
        cast(state_abbr as varchar) as state_abbreviation,
        cast(state_region as varchar) as state_region,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
