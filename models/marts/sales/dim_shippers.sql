with shippers as (
    select * from {{ ref('stg_northwind__shippers') }}
),

final as (
    select
        shipper_id,
        company_name,
        phone
    from shippers
)

select * from final
