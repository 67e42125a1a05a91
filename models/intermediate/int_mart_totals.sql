{{ control_totals(
    ref('dim_customers'),
    'northwind', 'customers', key_number(['customer_id']),
    rows='not is_deleted'
) }}

union all

{{ control_totals(
    ref('dim_employees'),
    'northwind', 'employees', 'employee_id',
    rows='not is_deleted'
) }}

union all

{{ control_totals(
    ref('dim_products'),
    'northwind', 'products', 'product_id',
    'list_price_usd',
    rows='not is_deleted'
) }}

union all

{{ control_totals(
    ref('dim_shippers'),
    'northwind', 'shippers', 'shipper_id'
) }}

union all

{{ control_totals(
    ref('suppliers_snapshot'),
    'northwind', 'suppliers', 'supplier_id',
    rows='dbt_valid_from <= ' ~ run_date()
    ~ ' and (dbt_valid_to is null or dbt_valid_to > ' ~ run_date() ~ ')'
) }}

union all

{{ control_totals(
    ref('fct_orders'),
    'northwind', 'orders', 'order_id',
    'freight_usd'
) }}

union all

{{ control_totals(
    ref('fct_order_lines'),
    'order_details', 'order_details', key_product(['order_id', 'product_id']),
    'gross_amount_usd'
) }}

union all

{{ control_totals(
    ref('fct_events'),
    'event_log', 'event_log', 'event_id'
) }}

union all

{{ control_totals(
    ref('dim_departments'),
    'people', 'departments', 'department_id'
) }}

union all

{{ control_totals(
    ref('dim_jobs'),
    'people', 'jobs', 'job_id'
) }}

union all

{{ control_totals(
    ref('fct_hires'),
    'people', 'employees', 'employee_id'
) }}

union all

{{ control_totals(
    ref('dim_users'),
    'community', 'users', 'user_id'
) }}

union all

{{ control_totals(
    ref('dim_posts'),
    'community', 'posts', 'post_id'
) }}

union all

{{ control_totals(
    ref('fct_comments'),
    'community', 'comments', 'comment_id'
) }}
