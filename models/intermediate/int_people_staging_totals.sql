{{ control_totals(
    ref('stg_people__departments'),
    'people', 'departments', 'department_id'
) }}

union all

{{ control_totals(
    ref('stg_people__jobs'),
    'people', 'jobs', 'job_id'
) }}

union all

{{ control_totals(
    ref('stg_people__employees'),
    'people', 'employees', 'employee_id'
) }}

union all

{{ control_totals(
    ref('stg_people__rejected_rows'),
    'people', 'rejected_rows', 'rejected_row_id'
) }}
