with source as (
    select *
    from {{ source('northwind', 'customer_customer_demo') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        rtrim(cast(customer_id as varchar)) as customer_id,
        rtrim(cast(customer_type_id as varchar)) as customer_type_id,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
