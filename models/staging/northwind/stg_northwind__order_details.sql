with source as (
    select *
    from {{ source('northwind', 'order_details') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(order_id as bigint) as order_id,
        cast(product_id as bigint) as product_id,

        -- numbers
        {{ to_money('unit_price') }} as unit_price_usd,
        cast(quantity as bigint) as quantity,
        cast(discount as decimal(9, 6)) as discount_rate,

        -- plumbing
        cast({{ reject_reason('order_details') }} as varchar) as _reject_reason,
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
