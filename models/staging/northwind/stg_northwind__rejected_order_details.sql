with source as (
    select
        *,
        {{ reject_reason('order_details') }} as reject_reason
    from {{ source('northwind', 'order_details') }}
),

renamed as (
    select
        -- text
        cast('order_details' as varchar) as source_name,
        cast('order_details' as varchar) as table_name,
        cast(reject_reason as varchar) as rule, -- noqa: RF04
        {{ row_text([
            'order_id',
            'product_id',
            number_text('unit_price'),
            'quantity',
            number_text('discount')
        ], ',') }} as raw_text,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
    where reject_reason is not null
)

select * from renamed
