with customers as (
    {{ latest_versions(ref('customers_snapshot'), 'customer_id') }}
),

countries as (
    select * from {{ ref('countries') }}
),

final as (
    select
        customers.customer_id,
        customers.company_name,
        customers.contact_name,
        customers.contact_title,
        customers.address,
        customers.city,
        customers.region,
        customers.postal_code,
        customers.country,
        countries.country_code,
        countries.world_region,
        countries.continent,
        customers.phone,
        customers.fax,
        customers.is_deleted,
        cast(customers.dbt_valid_from as date) as valid_from_date
    from customers
    left join countries
        on customers.country = countries.country
)

select * from final
