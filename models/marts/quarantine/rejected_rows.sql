{%- set days = unjudged_days(this) | join(', ') or 'null' -%}

with rejected_lines as (
    select
        run_date,
        source_name,
        table_name,
        file,
        line_number,
        rule,
        raw_text
    from {{ ref('stg_ops__rejected_lines') }}
    where run_date in ({{ days }})
),

rejected_orders as (
    select *
    from {{ ref('stg_northwind__rejected_orders') }}
    where _run_date in ({{ days }})
),

rejected_order_details as (
    select *
    from {{ ref('stg_northwind__rejected_order_details') }}
    where _run_date in ({{ days }})
),

rejected_events as (
    select *
    from {{ ref('stg_marketplace__rejected_events') }}
    where _run_date in ({{ days }})
),

-- The people database has its own log of rejected rows, with file and line.
rejected_people as (
    select *
    from {{ ref('stg_people__quarantined_rows') }}
    where _run_date in ({{ days }})
),

rule_breakers as (
    select * from rejected_orders

    union all

    select * from rejected_order_details

    union all

    select * from rejected_events
),

all_rejects as (
    select * from rejected_lines

    union all

    select
        _run_date as run_date,
        source_name,
        table_name,
        cast(null as varchar) as file, -- noqa: RF04
        cast(null as bigint) as line_number,
        rule,
        raw_text
    from rule_breakers

    union all

    select
        _run_date as run_date,
        source_name,
        table_name,
        file,
        line_number,
        rule,
        raw_text
    from rejected_people
),

final as (
    select
        run_date,
        source_name as source, -- noqa: RF04
        table_name,
        file,
        line_number,
        rule,
        cast(raw_text as varchar) as raw_text
    from all_rejects
)

select * from final
