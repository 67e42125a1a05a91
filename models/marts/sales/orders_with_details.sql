with orders as (
    select *
    from {{ ref('fct_orders') }}
    where {{ is_changed() }}
),

order_lines as (
    select *
    from {{ ref('fct_order_lines') }}
    where {{ is_changed() }}
),

customers as (
    select * from {{ ref('stg_northwind__customers') }}
),

employees as (
    select * from {{ ref('stg_northwind__employees') }}
),

shippers as (
    select * from {{ ref('stg_northwind__shippers') }}
),

products as (
    select * from {{ ref('stg_northwind__products') }}
),

categories as (
    select * from {{ ref('stg_northwind__categories') }}
),

final as (
    select
        coalesce(orders.order_id, order_lines.order_id) as order_id,
        orders.customer_id,
        customers.company_name,
        employees.employee_name,
        shippers.company_name as shipper_name,
        orders.ordered_date,
        orders.required_date,
        orders.shipped_date,
        orders.freight_usd,
        orders.ship_country,
        orders.ship_city,
        order_lines.product_id,
        products.product_name,
        categories.category_name,
        order_lines.unit_price_usd,
        order_lines.quantity,
        order_lines.discount_rate,
        order_lines.gross_amount_usd,
        order_lines.net_amount_usd
    from orders
    -- A full join keeps orders without lines and lines without an order.
    full join order_lines
        on orders.order_id = order_lines.order_id
    left join customers
        on orders.customer_id = customers.customer_id
    left join employees
        on orders.employee_id = employees.employee_id
    left join shippers
        on orders.shipper_id = shippers.shipper_id
    left join products
        on order_lines.product_id = products.product_id
    left join categories
        on products.category_id = categories.category_id
)

select * from final
