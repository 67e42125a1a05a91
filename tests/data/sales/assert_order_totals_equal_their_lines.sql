-- Fails if an order's totals differ from the sum of its lines, or its net amount from gross less
-- discount, because then one question has two answers and neither can be trusted.
with line_totals as (
    select
        order_id,
        count(*) as line_count,
        sum(quantity) as quantity,
        sum(gross_amount_usd) as gross_amount_usd,
        sum(discount_amount_usd) as discount_amount_usd,
        sum(net_amount_usd) as net_amount_usd
    from {{ ref('fct_order_lines') }}
    group by order_id
),

orders as (
    select * from {{ ref('fct_orders') }}
)

select orders.order_id
from orders
left join line_totals
    on orders.order_id = line_totals.order_id
where
    orders.line_count <> coalesce(line_totals.line_count, 0)
    or orders.quantity <> coalesce(line_totals.quantity, 0)
    or orders.gross_amount_usd <> coalesce(line_totals.gross_amount_usd, 0)
    or orders.discount_amount_usd <> coalesce(line_totals.discount_amount_usd, 0)
    or orders.net_amount_usd <> coalesce(line_totals.net_amount_usd, 0)
    or orders.net_amount_usd <> orders.gross_amount_usd - orders.discount_amount_usd
