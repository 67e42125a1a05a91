with customers as (
    {{ latest_versions(ref('customers_snapshot'), 'customer_id') }}
),

final as (
    select
        customer_id,
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
        is_deleted,
        cast(dbt_valid_from as date) as valid_from_date
    from customers
)

select * from final
