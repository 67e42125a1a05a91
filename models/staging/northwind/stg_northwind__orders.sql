with source as (
    select *
    from {{ source('northwind', 'orders') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(order_id as bigint) as order_id,
        cast(rtrim(cast(customer_id as varchar)) as varchar) as customer_id,
        cast(employee_id as bigint) as employee_id,
        cast(ship_via as bigint) as shipper_id,

        -- text
        cast(ship_name as varchar) as ship_name,
        cast(ship_address as varchar) as ship_address,
        cast(ship_city as varchar) as ship_city,
        cast(ship_region as varchar) as ship_region,
        cast(ship_postal_code as varchar) as ship_postal_code,
        cast(ship_country as varchar) as ship_country,

        -- numbers
        {{ to_money('freight') }} as freight_usd,

        -- dates
        cast(order_date as date) as ordered_date,
        cast(required_date as date) as required_date,
        cast(shipped_date as date) as shipped_date,

        -- plumbing
        cast({{ reject_reason('orders') }} as varchar) as _reject_reason,
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
