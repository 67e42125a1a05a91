with source as (
    select *
    from {{ source('community', 'users') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(id as bigint) as user_id,

        -- text
        cast(username as varchar) as username,
        cast(name as varchar) as full_name,
        cast(email as varchar) as email,
        cast(phone as varchar) as phone,
        cast(website as varchar) as website,
        cast(address_street as varchar) as street,
        cast(address_suite as varchar) as suite,
        cast(address_city as varchar) as city,
        cast(address_zipcode as varchar) as postal_code,
        cast(company_name as varchar) as company_name,
        cast("company_catchPhrase" as varchar) as company_catch_phrase, -- noqa: RF06
        cast(company_bs as varchar) as company_business,

        -- numbers
        cast(address_geo_lat as double precision) as latitude,
        cast(address_geo_lng as double precision) as longitude,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
