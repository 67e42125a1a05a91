with source as (
    select *
    from {{ source('people', 'employees') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(id as bigint) as employee_id,
        cast(department_id as bigint) as department_id,
        cast(job_id as bigint) as job_id,

        -- text
        cast(name as varchar) as employee_name,

        -- booleans
        cast(is_active as boolean) as is_active,

        -- timestamps
        {{ utc_timestamp('hiring_date') }} as hired_at,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
