{{ control_totals(
    source('northwind', 'categories'),
    'northwind', 'categories', 'cast(category_id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'customer_customer_demo'),
    'northwind', 'customer_customer_demo', key_number(['customer_id', 'customer_type_id']),
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'customer_demographics'),
    'northwind', 'customer_demographics', key_number(['customer_type_id']),
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'customers'),
    'northwind', 'customers', key_number(['customer_id']),
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'employee_territories'),
    'northwind', 'employee_territories', key_number(['employee_id', 'territory_id']),
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'employees'),
    'northwind', 'employees', 'cast(employee_id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'orders'),
    'northwind', 'orders', 'cast(order_id as bigint)',
    try_to_money('freight'),
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'products'),
    'northwind', 'products', 'cast(product_id as bigint)',
    try_to_money('unit_price'),
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'region'),
    'northwind', 'region', 'cast(region_id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'shippers'),
    'northwind', 'shippers', 'cast(shipper_id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'suppliers'),
    'northwind', 'suppliers', 'cast(supplier_id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'territories'),
    'northwind', 'territories', key_number(['territory_id']),
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'us_states'),
    'northwind', 'us_states', 'cast(state_id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('northwind', 'order_details'),
    'order_details', 'order_details', key_product(['order_id', 'product_id']),
    try_to_money('unit_price') ~ ' * quantity',
    day='_run_date'
) }}
