{{ control_totals(
    ref('stg_marketplace__events'),
    'event_log', 'event_log', 'event_id',
    rows='_reject_reason is null'
) }}
