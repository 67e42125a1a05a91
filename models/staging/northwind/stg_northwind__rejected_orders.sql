with source as (
    select
        *,
        {{ reject_reason('orders') }} as reject_reason
    from {{ source('northwind', 'orders') }}
),

renamed as (
    select
        -- text
        cast('northwind' as varchar) as source_name,
        cast('orders' as varchar) as table_name,
        cast(reject_reason as varchar) as rule, -- noqa: RF04
        {{ row_text([
            'order_id',
            'customer_id',
            'employee_id',
            'order_date',
            'required_date',
            'shipped_date',
            'ship_via',
            number_text(to_money('freight')),
            'ship_name',
            'ship_address',
            'ship_city',
            'ship_region',
            'ship_postal_code',
            'ship_country'
        ], '|') }} as raw_text,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
    where reject_reason is not null
)

select * from renamed
