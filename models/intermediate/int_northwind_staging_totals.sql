{{ control_totals(
    ref('stg_northwind__categories'),
    'northwind', 'categories', 'category_id'
) }}

union all

{{ control_totals(
    ref('stg_northwind__customer_customer_demo'),
    'northwind', 'customer_customer_demo', key_number(['customer_id', 'customer_type_id'])
) }}

union all

{{ control_totals(
    ref('stg_northwind__customer_demographics'),
    'northwind', 'customer_demographics', key_number(['customer_type_id'])
) }}

union all

{{ control_totals(
    ref('stg_northwind__customers'),
    'northwind', 'customers', key_number(['customer_id'])
) }}

union all

{{ control_totals(
    ref('stg_northwind__employee_territories'),
    'northwind', 'employee_territories', key_number(['employee_id', 'territory_id'])
) }}

union all

{{ control_totals(
    ref('stg_northwind__employees'),
    'northwind', 'employees', 'employee_id'
) }}

union all

{{ control_totals(
    ref('stg_northwind__orders'),
    'northwind', 'orders', 'order_id',
    'freight_usd',
    rows='_reject_reason is null'
) }}

union all

{{ control_totals(
    ref('stg_northwind__products'),
    'northwind', 'products', 'product_id',
    'list_price_usd'
) }}

union all

{{ control_totals(
    ref('stg_northwind__region'),
    'northwind', 'region', 'region_id'
) }}

union all

{{ control_totals(
    ref('stg_northwind__shippers'),
    'northwind', 'shippers', 'shipper_id'
) }}

union all

{{ control_totals(
    ref('stg_northwind__suppliers'),
    'northwind', 'suppliers', 'supplier_id'
) }}

union all

{{ control_totals(
    ref('stg_northwind__territories'),
    'northwind', 'territories', key_number(['territory_id'])
) }}

union all

{{ control_totals(
    ref('stg_northwind__us_states'),
    'northwind', 'us_states', 'state_id'
) }}

union all

{{ control_totals(
    ref('stg_northwind__order_details'),
    'order_details', 'order_details', key_product(['order_id', 'product_id']),
    'unit_price_usd * quantity',
    rows='_reject_reason is null'
) }}
