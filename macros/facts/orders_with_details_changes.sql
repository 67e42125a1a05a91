{% macro orders_with_details_changes(day) %}
    {{ fct_order_lines_changes(day) }}
    union
    select order_id
    from {{ ref('fct_orders') }}
    where
        customer_id in (
            {{ changed_keys(
                'northwind', 'customers', 'customer_id', day, ['company_name'],
                staged_key='rtrim(cast(customer_id as varchar))'
            ) }}
        )
        or employee_id in (
            {{ changed_keys('northwind', 'employees', 'employee_id', day, ['first_name', 'last_name']) }}
        )
        or shipper_id in (
            {{ changed_keys('northwind', 'shippers', 'shipper_id', day, ['company_name']) }}
        )
    union
    select order_id
    from {{ ref('fct_order_lines') }}
    where
        product_id in (
            {{ changed_keys('northwind', 'products', 'product_id', day, ['product_name', 'category_id']) }}
            union all
            select product_id
            from {{ ref('stg_northwind__products') }}
            where category_id in (
                {{ changed_keys('northwind', 'categories', 'category_id', day, ['category_name']) }}
            )
        )
{% endmacro %}
