with source as (
    select *
    from {{ source('northwind', 'employee_territories') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(employee_id as bigint) as employee_id,
        cast(territory_id as varchar) as territory_id,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
