{{ control_totals(
    source('people', 'departments'),
    'people', 'departments', 'cast(id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('people', 'jobs'),
    'people', 'jobs', 'cast(id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('people', 'employees'),
    'people', 'employees', 'cast(id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('people', 'rejected_rows'),
    'people', 'rejected_rows', 'cast(id as bigint)',
    day='_run_date'
) }}
