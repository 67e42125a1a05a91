-- Fails if an accepted order is not in fct_orders exactly as often as in staging, because a filter
-- or join there lost or repeated it: every count and total of sales would be wrong.
with accepted_orders as (
    select
        order_id,
        count(*) as row_count
    from {{ ref('stg_northwind__orders') }}
    where _reject_reason is null
    group by order_id
),

fact_orders as (
    select
        order_id,
        count(*) as row_count
    from {{ ref('fct_orders') }}
    group by order_id
)

select
    accepted_orders.order_id as accepted_order_id,
    fact_orders.order_id as fact_order_id,
    accepted_orders.row_count as accepted_row_count,
    fact_orders.row_count as fact_row_count
from accepted_orders
full join fact_orders
    on accepted_orders.order_id = fact_orders.order_id
where coalesce(accepted_orders.row_count, 0) <> coalesce(fact_orders.row_count, 0)
