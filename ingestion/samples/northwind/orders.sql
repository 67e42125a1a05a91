-- Orders come in blocks of 830. Stepping through a block by 353, which shares no factor with 830,
-- meets each of its places once: so each block has the same mix of sizes and of late orders.
create view orders_numbered as
with

numbered as (
    select
        range as order_number,
        range // 830 as block,
        (range % 830 * 353 + range // 830 * 97) % 830 as place_in_block,
        830 * getvariable('scale') as orders,
        42 * getvariable('scale') as recent_orders,
    from range(830 * getvariable('scale'))
),

-- 96 weeks of five working days; by the end business is three times what it was at the start.
dated as (
    select
        *,
        floor(240 * (sqrt(1 + 8 * (order_number / orders)) - 1))::integer as working_day,
        order_number >= orders - recent_orders as is_recent,
    from numbered
),

due as (
    select
        *,
        date '1996-07-01' + working_day // 5 * 7 + working_day % 5 as order_date,
        7 * pick([4, 4, 4, 4, 4, 4, 4, 4, 2, 6], 'weeks allowed', order_number) as days_allowed,
    from dated
)

select
    order_number,
    place_in_block,
    working_day,
    (10248 + order_number)::order_id_type as order_id,
    order_date,
    order_date + days_allowed as required_date,
    case
        -- Half of the most recent orders, 21 of 42, are still to be shipped.
        when is_recent and order_number % 2 = 0 then null
        when not is_recent and place_in_block % 22 = 1
            then order_date + days_allowed + 1 + roll('days late', order_number, 12)
        else order_date + 1 + roll('days to ship', order_number, 12)
    end as shipped_date,
from due;

create view orders as
select
    orders_numbered.order_id,
    customers_numbered.customer_id,
    pick([1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 6, 6, 7, 7, 8, 8, 8, 9], 'employee', order_number)
        ::smallint as employee_id,
    orders_numbered.order_date,
    orders_numbered.required_date,
    orders_numbered.shipped_date,
    -- The other half of the shippers wait for their first parcel.
    (1 + roll('shipper', order_number, 3))::smallint as ship_via,
    -- The product of two rolls: many small freights, few large ones; the mean is about 75.
    (
        (1 + roll('weight', order_number, 300)) * (1 + roll('rate', order_number, 100)) / 100
    )::real as freight,
    customers_numbered.company_name as ship_name,
    customers_numbered.address as ship_address,
    customers_numbered.city as ship_city,
    customers_numbered.region as ship_region,
    customers_numbered.postal_code as ship_postal_code,
    customers_numbered.country as ship_country,
from orders_numbered
-- The last two customers in every 91 have not ordered yet.
inner join customers_numbered
    on customers_numbered.customer_number
    = 91 * roll('branch', order_number, getvariable('scale')) + roll('customer', order_number, 89);
