with accepted_orders as (
    select *
    from {{ ref('stg_northwind__orders') }}
    where _reject_reason is null and {{ is_changed() }}
),

order_lines as (
    select *
    from {{ ref('int_order_lines_priced') }}
    where {{ is_changed() }}
),

line_totals as (
    select
        order_id,
        count(*) as line_count,
        sum(quantity) as quantity,
        sum(gross_amount_usd) as gross_amount_usd,
        sum(discount_amount_usd) as discount_amount_usd,
        sum(net_amount_usd) as net_amount_usd
    from order_lines
    group by order_id
),

final as (
    select
        accepted_orders.order_id,
        accepted_orders.customer_id,
        accepted_orders.employee_id,
        accepted_orders.shipper_id,
        accepted_orders.ship_country,
        accepted_orders.ship_city,
        accepted_orders.ordered_date,
        accepted_orders.required_date,
        accepted_orders.shipped_date,
        accepted_orders.freight_usd,
        coalesce(line_totals.line_count, 0) as line_count,
        cast(coalesce(line_totals.quantity, 0) as bigint) as quantity,
        cast(coalesce(line_totals.gross_amount_usd, 0) as decimal(19, 4)) as gross_amount_usd,
        cast(
            coalesce(line_totals.discount_amount_usd, 0) as decimal(19, 4)
        ) as discount_amount_usd,
        cast(coalesce(line_totals.net_amount_usd, 0) as decimal(19, 4)) as net_amount_usd,
        accepted_orders.shipped_date is not null as is_shipped,
        coalesce(accepted_orders.shipped_date > accepted_orders.required_date, false) as is_late,
        accepted_orders.shipped_date is null
        and coalesce(accepted_orders.required_date < {{ run_date() }}, false) as is_overdue,
        cast(
            accepted_orders.shipped_date - accepted_orders.ordered_date as integer
        ) as days_to_ship
    from accepted_orders
    left join line_totals
        on accepted_orders.order_id = line_totals.order_id
)

select * from final
