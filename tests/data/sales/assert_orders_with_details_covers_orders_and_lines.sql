-- Fails if orders_with_details lacks an order or an order line of the facts, or has one they don't,
-- because then the exported files are not the whole order book.
with expected as (
    select
        order_id,
        product_id
    from {{ ref('fct_order_lines') }}

    union all

    select
        order_id,
        null as product_id
    from {{ ref('fct_orders') }}
    where line_count = 0
),

found as (
    select
        order_id,
        product_id
    from {{ ref('orders_with_details') }}
),

missing as (
    select * from expected
    except
    select * from found
),

unexpected as (
    select * from found
    except
    select * from expected
)

select
    'missing' as problem,
    order_id,
    product_id
from missing

union all

select
    'unexpected' as problem,
    order_id,
    product_id
from unexpected
