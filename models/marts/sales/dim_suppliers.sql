with suppliers as (
    {{ latest_versions(ref('suppliers_snapshot'), 'supplier_id') }}
),

final as (
    select
        supplier_id,
        company_name,
        contact_name,
        contact_title,
        address,
        city,
        region,
        postal_code,
        country,
        phone,
        fax,
        homepage,
        is_deleted,
        cast(dbt_valid_from as date) as valid_from_date
    from suppliers
)

select * from final
