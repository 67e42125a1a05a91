with source as (
    select *
    from {{ source('northwind', 'categories') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(category_id as bigint) as category_id,

        -- text
        cast(category_name as varchar) as category_name,
        cast(description as varchar) as category_description,
        cast(picture as bytea) as picture,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
