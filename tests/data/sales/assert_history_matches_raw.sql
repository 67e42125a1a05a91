-- Fails if the versions in a snapshot that are valid on the run date differ from what the source
-- held on that day, because then every question about the past is answered wrongly.
with customers as (
    {{ history_differences(
        ref('customers_snapshot'), ref('stg_northwind__customers'), 'customer_id'
    ) }}
),

employees as (
    {{ history_differences(
        ref('employees_snapshot'), ref('stg_northwind__employees'), 'employee_id'
    ) }}
),

products as (
    {{ history_differences(
        ref('products_snapshot'), ref('stg_northwind__products'), 'product_id'
    ) }}
),

suppliers as (
    {{ history_differences(
        ref('suppliers_snapshot'), ref('stg_northwind__suppliers'), 'supplier_id'
    ) }}
)

select * from customers

union all

select * from employees

union all

select * from products

union all

select * from suppliers
