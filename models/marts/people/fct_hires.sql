with employees as (
    select * from {{ ref('stg_people__employees') }}
),

departments as (
    select * from {{ ref('dim_departments') }}
),

jobs as (
    select * from {{ ref('dim_jobs') }}
),

-- Includes deactivated employees: a hire stays a hire.
final as (
    select
        employees.employee_id,
        employees.employee_name,
        departments.department_name as department,
        jobs.job_name as job,
        employees.hired_at,
        employees.department_id,
        employees.job_id
    from employees
    left join departments
        on employees.department_id = departments.department_id
    left join jobs
        on employees.job_id = jobs.job_id
)

select * from final
