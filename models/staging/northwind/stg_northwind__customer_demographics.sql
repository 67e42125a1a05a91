with source as (
    select *
    from {{ source('northwind', 'customer_demographics') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        rtrim(cast(customer_type_id as varchar)) as customer_type_id,

        -- text
        cast(customer_desc as varchar) as customer_type_description,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
