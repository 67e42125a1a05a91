-- Fails if the number of rows read from a source differs from its accepted rows plus its rows in
-- quarantine, because then a row was lost or counted twice.
--
-- What the people database refused never was a row of the table that it was meant for, and so was
-- not read: such rejects have a file. Rows of it that the extract couldn't read have none.
{{ config(group='platform') }}
with figures as (
    select *
    from {{ ref('int_stage_figures') }}
    where run_date = {{ run_date() }}
),

rejected_rows as (
    select
        run_date,
        source as source_name,
        table_name,
        count(*) as rejected_count
    from {{ ref('rejected_rows') }}
    where not (source = 'people' and file is not null)
    group by run_date, source, table_name
)

select
    figures.run_date,
    figures.source_name as source, -- noqa: RF04
    figures.table_name,
    figures.source_count as read_count,
    figures.staging_count as accepted_count,
    coalesce(rejected_rows.rejected_count, 0) as rejected_count
from figures
left join rejected_rows
    on
        figures.run_date = rejected_rows.run_date
        and figures.source_name = rejected_rows.source_name
        and figures.table_name = rejected_rows.table_name
where
    figures.source_count
    <> figures.staging_count + coalesce(rejected_rows.rejected_count, 0)
