with orders as (
    select * from {{ ref('fct_orders') }}
),

bounds as (
    select
        least(
            min(ordered_date), min(required_date), min(shipped_date), {{ run_date() }}
        ) as first_date,
        greatest(
            max(ordered_date), max(required_date), max(shipped_date), {{ run_date() }}
        ) as last_date
    from orders
),

-- Whole years, so that quarters and weeks at either end are complete.
years as (
    select
        cast(date_trunc('year', first_date) as timestamp) as first_day,
        cast(date_trunc('year', last_date) as timestamp) + interval '1 year'
        - interval '1 day' as last_day
    from bounds
),

days as (
    select cast(spine.day_at as date) as date_day
    from years
    cross join {{ every_day('first_day', 'last_day') }} as spine (day_at)
),

numbered as (
    select
        date_day,
        cast(extract(year from date_day) as integer) as year_number,
        cast(extract(quarter from date_day) as integer) as quarter_number,
        cast(extract(month from date_day) as integer) as month_number,
        cast(extract(isoyear from date_day) as integer) as iso_year_number,
        cast(extract(week from date_day) as integer) as iso_week_number,
        cast(extract(day from date_day) as integer) as day_of_month_number,
        cast(extract(isodow from date_day) as integer) as day_of_week_number,
        cast(extract(doy from date_day) as integer) as day_of_year_number,
        cast(date_trunc('month', date_day) as date) as month_start_date
    from days
),

holidays as (
    select * from {{ ref('holidays') }}
),

final as (
    select
        numbered.date_day,
        concat(
            lpad(cast(numbered.year_number as varchar), 4, '0'),
            '-',
            lpad(cast(numbered.month_number as varchar), 2, '0')
        ) as year_month, -- noqa: RF04
        -- Not the engine's names of months and days, which depend on its language.
        split_part(
            'January February March April May June July August September October November December',
            ' ',
            numbered.month_number
        ) as month_name,
        split_part(
            'Monday Tuesday Wednesday Thursday Friday Saturday Sunday',
            ' ',
            numbered.day_of_week_number
        ) as day_name,
        holidays.holiday_name,
        numbered.year_number,
        numbered.quarter_number,
        numbered.month_number,
        numbered.iso_year_number,
        numbered.iso_week_number,
        numbered.day_of_month_number,
        numbered.day_of_week_number,
        numbered.day_of_year_number,
        numbered.day_of_week_number >= 6 as is_weekend,
        numbered.month_start_date
    from numbered
    left join holidays
        on
            numbered.month_number = holidays.month_number
            and numbered.day_of_month_number >= holidays.first_day_number
            and numbered.day_of_month_number <= holidays.last_day_number
            and numbered.day_of_week_number
            = coalesce(holidays.day_of_week_number, numbered.day_of_week_number)
            and numbered.year_number >= holidays.first_year_number
)

select * from final
