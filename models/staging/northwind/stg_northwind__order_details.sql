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
        cast(
            case
                when order_id is null or product_id is null then 'missing_id'
                when quantity is null or quantity <= 0 then 'quantity_not_positive'
                when unit_price is null or unit_price < 0 then 'unit_price_missing_or_negative'
                when discount is null or discount not between 0 and 1 then 'discount_not_0_to_1'
            end as varchar
        ) as _reject_reason,
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
