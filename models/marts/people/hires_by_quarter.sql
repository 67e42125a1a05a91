with hires as (
    select * from {{ ref('fct_hires') }}
),

departments as (
    select * from {{ ref('dim_departments') }}
),

jobs as (
    select * from {{ ref('dim_jobs') }}
),

dated as (
    select
        department_id,
        job_id,
        cast(extract(year from hired_at) as integer) as hire_year,
        cast(extract(quarter from hired_at) as integer) as hire_quarter
    from hires
),

-- By number, not by name: two departments may share a name.
counted as (
    select
        hire_year,
        department_id,
        job_id,
        count(*) filter (where hire_quarter = 1) as q1,
        count(*) filter (where hire_quarter = 2) as q2,
        count(*) filter (where hire_quarter = 3) as q3,
        count(*) filter (where hire_quarter = 4) as q4
    from dated
    group by hire_year, department_id, job_id
),

final as (
    select
        counted.hire_year,
        departments.department_name as department,
        jobs.job_name as job,
        counted.q1,
        counted.q2,
        counted.q3,
        counted.q4,
        counted.department_id,
        counted.job_id
    from counted
    left join departments
        on counted.department_id = departments.department_id
    left join jobs
        on counted.job_id = jobs.job_id
)

select * from final
