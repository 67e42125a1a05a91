with employees as (
    {{ latest_versions(ref('employees_snapshot'), 'employee_id') }}
),

employee_territories as (
    select
        employee_territories.employee_id,
        employee_territories.territory_id,
        territories.territory_name,
        territories.region_id
    from {{ ref('stg_northwind__employee_territories') }} as employee_territories
    left join {{ ref('stg_northwind__territories') }} as territories
        on employee_territories.territory_id = territories.territory_id
),

-- Sorted by the bytes of the code, which is the same on every engine.
territory_lists as (
    select
        employee_id,
        count(*) as territory_count,
        {{ text_list('territory_name', ', ', 'territory_id collate "C"') }} as territory_names
    from employee_territories
    group by employee_id
),

employee_regions as (
    select distinct
        employee_id,
        region_id
    from employee_territories
),

region_lists as (
    select
        employee_regions.employee_id,
        {{ text_list('regions.region_name', ', ', 'regions.region_id') }} as region_name
    from employee_regions
    inner join {{ ref('stg_northwind__region') }} as regions
        on employee_regions.region_id = regions.region_id
    group by employee_regions.employee_id
),

final as (
    select
        employees.employee_id,
        employees.reports_to_employee_id,
        employees.employee_name,
        employees.last_name,
        employees.first_name,
        employees.job_title,
        employees.title_of_courtesy,
        managers.employee_name as reports_to_name,
        territory_lists.territory_names,
        region_lists.region_name,
        employees.address,
        employees.city,
        employees.region,
        employees.postal_code,
        employees.country,
        coalesce(territory_lists.territory_count, 0) as territory_count,
        employees.is_deleted,
        employees.birth_date,
        employees.hired_date,
        cast(employees.dbt_valid_from as date) as valid_from_date
    from employees
    left join employees as managers
        on employees.reports_to_employee_id = managers.employee_id
    left join territory_lists
        on employees.employee_id = territory_lists.employee_id
    left join region_lists
        on employees.employee_id = region_lists.employee_id
)

select * from final
