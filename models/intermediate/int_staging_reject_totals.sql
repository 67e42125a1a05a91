{{ control_totals(
    ref('stg_northwind__orders'),
    'northwind', 'orders', 'order_id',
    'freight_usd',
    rows='_reject_reason is not null'
) }}

union all

{{ control_totals(
    ref('stg_northwind__order_details'),
    'order_details', 'order_details', key_product(['order_id', 'product_id']),
    'unit_price_usd * quantity',
    rows='_reject_reason is not null'
) }}

union all

{{ control_totals(
    ref('stg_marketplace__events'),
    'event_log', 'event_log', 'event_id',
    rows='_reject_reason is not null'
) }}
