-- Fails if an accepted order line is not in fct_order_lines exactly as often as in staging, because
-- a join there lost or repeated it, most likely one whose order is unknown.
with accepted_lines as (
    select
        order_id,
        product_id,
        count(*) as row_count
    from {{ ref('stg_northwind__order_details') }}
    where _reject_reason is null
    group by order_id, product_id
),

fact_lines as (
    select
        order_id,
        product_id,
        count(*) as row_count
    from {{ ref('fct_order_lines') }}
    group by order_id, product_id
)

select
    accepted_lines.order_id as accepted_order_id,
    accepted_lines.product_id as accepted_product_id,
    fact_lines.order_id as fact_order_id,
    fact_lines.product_id as fact_product_id
from accepted_lines
full join fact_lines
    on
        accepted_lines.order_id = fact_lines.order_id
        and accepted_lines.product_id = fact_lines.product_id
where coalesce(accepted_lines.row_count, 0) <> coalesce(fact_lines.row_count, 0)
