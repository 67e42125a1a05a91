with source as (
    select * from {{ source('ops', 'rejected_lines') }}
),

renamed as (
    select
        -- text
        source as source_name,
        table_name,
        file,
        rule,
        raw_text,

        -- numbers
        line_number,

        -- dates
        run_date
    from source
)

select * from renamed
