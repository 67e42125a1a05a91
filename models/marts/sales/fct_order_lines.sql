with order_lines as (
    select *
    from {{ ref('int_order_lines_priced') }}
    where {{ is_changed() }}
),

orders as (
    select *
    from {{ ref('fct_orders') }}
    where {{ is_changed() }}
),

final as (
    select
        order_lines.order_id,
        order_lines.product_id,
        orders.customer_id,
        orders.employee_id,
        orders.shipper_id,
        orders.ordered_date,
        order_lines.unit_price_usd,
        order_lines.quantity,
        order_lines.discount_rate,
        order_lines.gross_amount_usd,
        order_lines.discount_amount_usd,
        order_lines.net_amount_usd
    from order_lines
    left join orders
        on order_lines.order_id = orders.order_id
)

select * from final
