with users as (
    select * from {{ ref('stg_community__users') }}
),

final as (
    select
        user_id,
        username,
        full_name,
        email,
        phone,
        website,
        street,
        suite,
        city,
        postal_code,
        company_name,
        company_catch_phrase,
        company_business,
        latitude,
        longitude
    from users
)

select * from final
