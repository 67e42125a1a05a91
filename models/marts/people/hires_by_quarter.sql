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
        cast(extract(quarter from hired_at) as integer) as hire_quarter
    from hires
),

-- By number, not by name: two departments may share a name.
final as (
    select
        hire_year,
        department,
        job,
        count(*) filter (where hire_quarter = 1) as q1,
        count(*) filter (where hire_quarter = 2) as q2,
        count(*) filter (where hire_quarter = 3) as q3,
        count(*) filter (where hire_quarter = 4) as q4,
        department_id,
        job_id
    from dated
    group by hire_year, department_id, job_id, department, job
)

select * from final
