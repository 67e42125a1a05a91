with hires as (
    select * from {{ ref('fct_hires') }}
),

dated as (
    select
        department_id,
        job_id,
        department,
        job,
        cast(extract(year from hired_at) as integer) as hire_year,
        cast(extract(month from hired_at) as integer) as hire_month
    from hires
),

-- By number, not by name: two departments may share a name.
final as (
    select
        department_id,
        job_id,
        department,
        job,
        hire_year,
        hire_month,
        count(*) as hire_count
    from dated
    group by department_id, job_id, department, job, hire_year, hire_month
)

select * from final
