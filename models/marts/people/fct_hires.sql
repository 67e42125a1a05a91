with employees as (
    select * from {{ ref('stg_people__employees') }}
),

-- Includes deactivated employees: a hire stays a hire.
final as (
    select
        employee_id,
        employee_name,
        hired_at,
        department_id,
        job_id
    from employees
)

select * from final
