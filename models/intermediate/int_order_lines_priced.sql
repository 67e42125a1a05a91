with accepted_lines as (
    select *
    from {{ ref('stg_northwind__order_details') }}
    where _reject_reason is null
),

with_gross as (
    select
        order_id,
        product_id,
        unit_price_usd,
        quantity,
        discount_rate,
        cast(unit_price_usd * quantity as decimal(19, 4)) as gross_amount_usd
    from accepted_lines
),

with_discount as (
    select
        order_id,
        product_id,
        unit_price_usd,
        quantity,
        discount_rate,
        gross_amount_usd,
        -- Rounded per line, so that gross, discount and net add up on lines and in totals.
        cast(round(gross_amount_usd * discount_rate, 4) as decimal(19, 4)) as discount_amount_usd
    from with_gross
),

final as (
    select
        order_id,
        product_id,
        unit_price_usd,
        quantity,
        discount_rate,
        gross_amount_usd,
        discount_amount_usd,
        cast(gross_amount_usd - discount_amount_usd as decimal(19, 4)) as net_amount_usd
    from with_discount
)

select * from final
