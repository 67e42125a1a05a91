with categories as (
    {{ latest_versions(ref('categories_snapshot'), 'category_id') }}
),

-- Without the picture: bytes that no reader of the marts shows.
final as (
    select
        category_id,
        category_name,
        category_description,
        is_deleted,
        cast(dbt_valid_from as date) as valid_from_date
    from categories
)

select * from final
