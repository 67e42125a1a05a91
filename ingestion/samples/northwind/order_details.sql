create view order_details as
with

-- Of every 830 orders 145 have one line, 270 two, 240 three, 130 four, 40 five and 5 six: 2,155.
sized as (
    select
        *,
        case
            when place_in_block < 145 then 1
            when place_in_block < 415 then 2
            when place_in_block < 655 then 3
            when place_in_block < 785 then 4
            when place_in_block < 825 then 5
            else 6
        end as line_count,
    from orders_numbered
),

-- Any step from 1 to 76 visits at least seven of the 77 products before it meets one again.
numbered as (
    select
        order_id,
        working_day,
        unnest(range(line_count)) as line_number,
        roll('first product', order_number, 77) as first_product,
        1 + roll('product step', order_number, 76) as product_step,
    from sized
),

chosen as (
    select
        order_id,
        working_day,
        1 + (first_product + line_number * product_step) % 77 as product_id,
        order_id::bigint * 8 + line_number as line_key,
    from numbered
),

-- In the first year things cost a fifth less.
priced as (
    select
        product_id,
        trim_zeros(unit_price) as unit_price,
        trim_zeros(0.8 * unit_price::decimal(10, 2)) as first_year_price,
    from products
)

select
    chosen.order_id,
    chosen.product_id,
    case when chosen.working_day < 240 then first_year_price else unit_price end as unit_price,
    -- The product of two rolls again: up to 100 of a kind, 26 on average.
    greatest(1, (roll('quantity', line_key, 100) + 1) * (roll('pack', line_key, 13) + 1) // 13)
        as quantity,
    pick(
        ['0', '0', '0', '0', '0', '0', '0', '0', '0', '0.05', '0.05', '0.1', '0.15', '0.2', '0.25'],
        'discount', line_key
    ) as discount,
from chosen
inner join priced on chosen.product_id = priced.product_id;
