with source as (
    select *
    from {{ source('community', 'photos') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(id as bigint) as photo_id,
        cast("albumId" as bigint) as album_id, -- noqa: RF06

        -- text
        cast(title as varchar) as photo_title,
        cast(url as varchar) as photo_url,
        cast("thumbnailUrl" as varchar) as thumbnail_url, -- noqa: RF06

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
