-- Fails if source, landing, raw and staging disagree about the rows, keys or amounts of a loaded
-- day, because then every number of that day is wrong, and so is the history that uses it.
--
-- By way of dim_run_dates, and not of run_date(): a test that stood on what fct_reconciliation
-- stands on, and nothing else, would keep it from being built when it fails.
{{ config(group='platform') }}
select
    figures.run_date,
    figures.source_name as source, -- noqa: RF04
    figures.table_name,
    figures.broken_between
from {{ ref('int_stage_figures') }} as figures
inner join {{ ref('dim_run_dates') }} as run_dates
    on figures.run_date = run_dates.run_date
where figures.broken_between is not null
