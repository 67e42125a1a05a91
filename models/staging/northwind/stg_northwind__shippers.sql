with source as (
    select *
    from {{ source('northwind', 'shippers') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(shipper_id as bigint) as shipper_id,

        -- text
        cast(company_name as varchar) as company_name,
        cast(phone as varchar) as phone,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
