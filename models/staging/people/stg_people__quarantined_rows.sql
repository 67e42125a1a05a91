with source as (
    select * from {{ source('people', 'rejected_rows') }}
),

renamed as (
    select
        -- text
        cast('people' as varchar) as source_name,
        cast(table_name as varchar) as table_name,
        cast(source as varchar) as file, -- noqa: RF04
        {{ joined_array('reasons') }} as rule, -- noqa: RF04
        cast(payload as varchar) as raw_text,

        -- numbers
        cast(row_number as bigint) as line_number,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
