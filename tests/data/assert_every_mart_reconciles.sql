-- Fails if a mart disagrees with the accepted rows of staging about rows, keys or amounts, because
-- then readers see totals that differ from the source's.
select
    run_date,
    source_name as source, -- noqa: RF04
    table_name,
    broken_between
from {{ ref('fct_reconciliation') }}
where
    run_date = {{ run_date() }}
    and broken_between like 'staging and mart%'
