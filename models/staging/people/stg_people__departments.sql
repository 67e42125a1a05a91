with source as (
    select *
    from {{ source('people', 'departments') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(id as bigint) as department_id,

        -- text
        cast(name as varchar) as department_name,

        -- booleans
        cast(is_active as boolean) as is_active,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
