with source as (
    select *
    from {{ source('northwind', 'products') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(product_id as bigint) as product_id,
        cast(supplier_id as bigint) as supplier_id,
        cast(category_id as bigint) as category_id,

        -- text
        cast(product_name as varchar) as product_name,
        cast(quantity_per_unit as varchar) as quantity_per_unit,

        -- numbers
        {{ to_money('unit_price') }} as list_price_usd,
        cast(units_in_stock as bigint) as units_in_stock,
        cast(units_on_order as bigint) as units_on_order,
        cast(reorder_level as bigint) as reorder_level,

        -- booleans
        cast(cast(discontinued as integer) as boolean) as is_discontinued,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
