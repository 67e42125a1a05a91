with source as (
    select *
    from {{ source('people', 'rejected_rows') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(id as bigint) as rejected_row_id,
        cast(batch_id as varchar) as batch_id,

        -- text
        cast(table_name as varchar) as table_name,
        cast(source as varchar) as file, -- noqa: RF04
        {{ joined_array('reasons') }} as rule, -- noqa: RF04
        cast(payload as varchar) as raw_text,

        -- numbers
        cast(row_number as bigint) as line_number,

        -- timestamps
        {{ utc_timestamp('rejected_at') }} as rejected_at,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
