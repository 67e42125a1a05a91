with products as (
    {{ latest_versions(ref('products_snapshot'), 'product_id') }}
),

suppliers as (
    select * from {{ ref('dim_suppliers') }}
),

categories as (
    select * from {{ ref('dim_categories') }}
),

final as (
    select
        products.product_id,
        products.supplier_id,
        products.category_id,
        products.product_name,
        categories.category_name,
        suppliers.company_name as supplier_name,
        products.quantity_per_unit,
        products.list_price_usd,
        products.units_in_stock,
        products.units_on_order,
        products.reorder_level,
        products.is_discontinued,
        products.is_deleted,
        cast(products.dbt_valid_from as date) as valid_from_date
    from products
    left join suppliers
        on products.supplier_id = suppliers.supplier_id
    left join categories
        on products.category_id = categories.category_id
)

select * from final
