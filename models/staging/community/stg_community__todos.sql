with source as (
    select *
    from {{ source('community', 'todos') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(id as bigint) as todo_id,
        cast("userId" as bigint) as user_id, -- noqa: RF06

        -- text
        cast(title as varchar) as todo_title,

        -- booleans
        cast(completed as boolean) as is_completed,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
