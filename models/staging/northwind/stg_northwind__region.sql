with source as (
    select *
    from {{ source('northwind', 'region') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(region_id as bigint) as region_id,

        -- text
        rtrim(cast(region_description as varchar)) as region_name,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
