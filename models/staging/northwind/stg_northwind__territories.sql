with source as (
    select *
    from {{ source('northwind', 'territories') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(territory_id as varchar) as territory_id,
        cast(region_id as bigint) as region_id,

        -- text
        rtrim(cast(territory_description as varchar)) as territory_name,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
