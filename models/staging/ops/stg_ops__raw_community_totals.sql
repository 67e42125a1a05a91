{{ control_totals(
    source('community', 'users'),
    'community', 'users', 'cast(id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('community', 'posts'),
    'community', 'posts', 'cast(id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('community', 'comments'),
    'community', 'comments', 'cast(id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('community', 'albums'),
    'community', 'albums', 'cast(id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('community', 'photos'),
    'community', 'photos', 'cast(id as bigint)',
    day='_run_date'
) }}

union all

{{ control_totals(
    source('community', 'todos'),
    'community', 'todos', 'cast(id as bigint)',
    day='_run_date'
) }}
