{{ control_totals(
    source('marketplace', 'event_log'),
    'event_log', 'event_log', 'cast(event_id as bigint)',
    day='_run_date'
) }}
