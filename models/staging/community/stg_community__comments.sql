with source as (
    select *
    from {{ source('community', 'comments') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(id as bigint) as comment_id,
        cast("postId" as bigint) as post_id, -- noqa: RF06

        -- text
        cast(name as varchar) as comment_title,
        cast(email as varchar) as author_email,
        cast(body as varchar) as comment_body,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
