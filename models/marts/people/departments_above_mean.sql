with hires as (
    select * from {{ ref('fct_hires') }}
),

departments as (
    select * from {{ ref('dim_departments') }}
),

dated as (
    select
        department_id,
        cast(extract(year from hired_at) as integer) as hire_year
    from hires
),

department_hires as (
    select
        hire_year,
        department_id,
        count(*) as hired
    from dated
    group by hire_year, department_id
),

year_hires as (
    select
        hire_year,
        count(*) as hired
    from dated
    group by hire_year
),

-- Departments without hires, or soft-deleted ones, also lower the mean.
department_total as (
    select count(*) as department_count from departments
),

-- hired > hires of the year / departments, without a division that rounds.
final as (
    select
        department_hires.hire_year,
        department_hires.department_id as id,
        departments.department_name as department,
        department_hires.hired
    from department_hires
    inner join year_hires
        on department_hires.hire_year = year_hires.hire_year
    cross join department_total
    left join departments
        on department_hires.department_id = departments.department_id
    where department_hires.hired * department_total.department_count > year_hires.hired
)

select * from final
