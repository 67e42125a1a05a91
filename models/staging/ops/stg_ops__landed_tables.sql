with source as (
    select * from {{ source('ops', 'landed_tables') }}
),

renamed as (
    select
        -- text
        source as source_name,
        table_name,
        raw_schema,
        content_hash,

        -- numbers
        row_count,
        rejected_count,
        read_count,
        source_key_sum,
        source_amount_sum,
        landing_key_sum,
        landing_amount_sum,

        -- booleans
        is_sample,

        -- dates
        run_date,

        -- plumbing
        run_id as _run_id
    from source
)

select * from renamed
