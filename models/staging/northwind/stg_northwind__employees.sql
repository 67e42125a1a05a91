with source as (
    select *
    from {{ source('northwind', 'employees') }}
    where _run_date = {{ run_date() }}
),

renamed as (
    select
        -- ids
        cast(employee_id as bigint) as employee_id,
        cast(reports_to as bigint) as reports_to_employee_id,

        -- text
        cast(last_name as varchar) as last_name,
        cast(first_name as varchar) as first_name,
        cast(nullif(concat_ws(' ', first_name, last_name), '') as varchar) as employee_name,
        cast(title as varchar) as job_title,
        cast(title_of_courtesy as varchar) as title_of_courtesy,
        cast(address as varchar) as address,
        cast(city as varchar) as city,
        cast(region as varchar) as region,
        cast(postal_code as varchar) as postal_code,
        cast(country as varchar) as country,
        cast(home_phone as varchar) as home_phone,
        cast(extension as varchar) as phone_extension,
        cast(notes as varchar) as notes,
        cast(photo as bytea) as photo,
        cast(photo_path as varchar) as photo_path,

        -- dates
        cast(birth_date as date) as birth_date,
        cast(hire_date as date) as hired_date,

        -- plumbing
        cast(_run_date as date) as _run_date
    from source
)

select * from renamed
