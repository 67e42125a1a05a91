with source as (
    select *
    from {{ source('community', 'posts') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(id as bigint) as post_id,
        cast("userId" as bigint) as user_id, -- noqa: RF06

        -- text
        cast(title as varchar) as post_title,
        cast(body as varchar) as post_body,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
