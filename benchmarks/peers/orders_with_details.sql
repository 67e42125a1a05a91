-- The question that all of this is for, as one query on the tables as the sources have them.
select
    coalesce(orders.order_id, details.order_id) as order_id,
    orders.customer_id,
    customers.company_name,
    employees.first_name || ' ' || employees.last_name as employee_name,
    shippers.company_name as shipper_name,
    orders.order_date,
    orders.required_date,
    orders.shipped_date,
    orders.freight,
    orders.ship_country,
    orders.ship_city,
    details.product_id,
    products.product_name,
    categories.category_name,
    details.unit_price,
    details.quantity,
    details.discount,
    details.unit_price * details.quantity as gross_amount,
    details.unit_price * details.quantity * (1 - details.discount) as net_amount
from orders
full join order_details as details on orders.order_id = details.order_id
left join customers on orders.customer_id = customers.customer_id
left join employees on orders.employee_id = employees.employee_id
left join shippers on orders.ship_via = shippers.shipper_id
left join products on details.product_id = products.product_id
left join categories on products.category_id = categories.category_id
