"""One way to break each expectation: SQL that makes the second of two loaded and built days wrong."""

TODAY = "2021-01-02"


def stored(table: str) -> str:
    """Return the table with the rows of a raw table."""
    return table.replace(".", "__versions.")


def added(table: str, day: str, columns: str, end: str = "") -> str:
    """Return SQL that adds a row to the last loaded day of a raw table."""
    days = f"date '{day}' as _valid_from, date '9999-12-31' as _valid_to"
    return f"insert into {stored(table)} by name select {columns}, {days} {end}"


def _own(table: str) -> str:
    """Return SQL after which today's rows of a raw table, which begin today, aren't those of other days."""
    shared = f"_valid_from < date '{TODAY}' and _valid_to > date '{TODAY}'"
    copied = f"select * replace (date '{TODAY}' as _valid_from) from {stored(table)} where {shared}"
    ended = f"update {stored(table)} set _valid_to = date '{TODAY}' where {shared}"
    return f"insert into {stored(table)} by name {copied}; {ended}"


def _landed(change: str) -> str:
    return f"update raw_ops.landed_tables set {change} where table_name = 'orders' and run_date = '{TODAY}'"


def _today(table: str, change: str, condition: str = "true") -> str:
    return f"{_own(table)}; update {stored(table)} set {change} where _valid_from = '{TODAY}' and ({condition})"


def _orders(change: str, condition: str = "true") -> str:
    return _today("raw_northwind.orders", change, condition)


def _lines(change: str, condition: str = "true") -> str:
    return _today("raw_northwind.order_details", change, condition)


def _events(change: str, condition: str = "true") -> str:
    return _today("raw_marketplace.event_log", change, condition)


def _employees(change: str, condition: str = "true") -> str:
    return _today("raw_people.employees", change, condition)


def _without(table: str, condition: str = "true") -> str:
    return f"{_own(table)}; delete from {stored(table)} where _valid_from = '{TODAY}' and ({condition})"


def _mostly_new(table: str, key: str) -> str:
    """Add five new keys for every one there is."""
    return (
        f"insert into snapshots.{table}_snapshot by name "
        f"select * exclude (n) replace ({key} + 100 * n as {key}, timestamp '{TODAY}' as dbt_valid_from, "
        f"dbt_scd_id || n as dbt_scd_id) from snapshots.{table}_snapshot cross join range(1, 6) as copies (n)"
    )


SPOILS = {
    # every source
    "tables_are_not_emptied": _landed("row_count = 0"),
    "tables_keep_half_of_their_rows": _landed("row_count = row_count // 2"),
    "tables_grow_less_than_tenfold": _landed("row_count = row_count * 11"),
    "columns_are_not_emptied": _orders("ship_city = null"),
    "null_shares_are_like_the_day_before": _orders("ship_city = null", "order_id % 4 = 0"),
    # northwind
    "orders_newest_order_is_not_older": _without(
        "raw_northwind.orders", "order_date >= (select max(order_date) from raw_northwind.orders) - interval '10' day"
    ),
    "orders_have_ids": _orders("order_id = null", "order_id % 50 > 0"),
    "orders_have_arrived": _without("raw_northwind.orders"),
    "orders_freight_is_plausible": _orders("freight = 20000", "order_id % 100 = 0"),
    "orders_freight_is_not_all_zero": _orders("freight = 0"),
    "orders_mean_freight_is_like_the_day_before": _orders("freight = freight * 3"),
    "orders_are_ordered_by_the_run_date": _orders("order_date = date '2096-07-04'", "order_id % 100 = 0"),
    "orders_are_shipped_by_the_run_date": _orders("shipped_date = date '1900-01-01'", "order_id % 100 = 0"),
    "orders_are_required_after_they_are_ordered": _orders("required_date = order_date - 1", "order_id % 100 = 0"),
    "orders_ship_to_countries": _orders("ship_country = ship_postal_code", "ship_postal_code ~ '[0-9]'"),
    "customers_codes_have_one_length": _today("raw_northwind.customers", "customer_id = left(customer_id, 3)"),
    "customers_have_names_of_their_own": _today("raw_northwind.customers", "company_name = 'Unknown'"),
    "customers_countries_are_names": _today("raw_northwind.customers", "country = '75016'"),
    "customers_postal_codes_are_codes": _today("raw_northwind.customers", "postal_code = '?'"),
    "employees_are_hired_after_birth": _today("raw_northwind.employees", "hire_date = birth_date"),
    "employees_are_hired_within_a_year": _today("raw_northwind.employees", "hire_date = date '9999-12-31'"),
    "regions_have_names_of_their_own": _today("raw_northwind.region", "region_description = 'North'"),
    "products_prices_are_plausible": _today("raw_northwind.products", "unit_price = -1", "product_id = 7"),
    "products_stock_is_not_negative": _today("raw_northwind.products", "units_in_stock = -3", "product_id = 7"),
    "categories_have_names_of_their_own": _today("raw_northwind.categories", "category_name = 'Food'"),
    "suppliers_countries_are_names": _today("raw_northwind.suppliers", "country = '75016'"),
    "shippers_have_names_of_their_own": _today("raw_northwind.shippers", "company_name = 'Carrier'"),
    "us_states_abbreviations_have_two_letters": _today("raw_northwind.us_states", "state_abbr = lower(state_abbr)"),
    "customer_demographics_have_descriptions": added(
        "raw_northwind.customer_demographics", TODAY, "'A' as customer_type_id"
    ),
    # order details
    "order_details_newest_order_is_not_older": _without(
        "raw_northwind.order_details", "order_id = (select max(order_id) from raw_northwind.order_details)"
    ),
    "order_details_have_order_ids": _lines("order_id = null", "order_id % 50 > 0"),
    "order_details_have_arrived": _without("raw_northwind.order_details"),
    "order_details_prices_are_not_all_zero": _lines("unit_price = 0"),
    "order_details_prices_are_plausible": _lines("unit_price = 200000", "product_id = 7"),
    "order_details_quantities_are_plausible": _lines("quantity = 20000", "product_id = 7"),
    "order_details_quantities_differ": _lines("quantity = 1"),
    "order_details_discounts_are_mostly_small": _lines("discount = 1 - discount"),
    "order_details_mean_price_is_like_the_day_before": _lines("unit_price = unit_price / 10"),
    "order_details_mean_quantity_is_like_the_day_before": _lines("quantity = quantity * 12"),
    # event log
    "events_newest_event_is_not_older": _without(
        "raw_marketplace.event_log", "created_at = (select max(created_at) from raw_marketplace.event_log)"
    ),
    "events_have_ids": _events("event_id = null", "event_id % 50 > 0"),
    "events_are_mostly_of_known_types": _events("event_type = upper(event_type)"),
    "events_have_arrived": _without("raw_marketplace.event_log"),
    "events_of_every_type_remain": _without("raw_marketplace.event_log", "event_type = 'became_unable_to_propose'"),
    "events_type_shares_are_like_the_day_before": _without(
        "raw_marketplace.event_log", "event_type = 'proposed' and event_id % 10 > 0"
    ),
    "events_of_the_day_before_remain": _without("raw_marketplace.event_log", "event_id % 10 = 0"),
    "events_ids_are_positive": _events("event_id = -event_id", "event_id % 100 = 0"),
    "events_happened_by_the_run_date": _events("created_at = timestamp '2099-01-01 10:00:00'", "event_id % 100 = 0"),
    "events_are_not_one_professionals": _events("professional_id_anonymized = 7"),
    "events_open_one_account_each": _events("event_type = 'created_account'", "event_type like 'became%'"),
    "events_have_times_of_day": _events("created_at = date_trunc('day', created_at)"),
    # people, as it arrives
    "hires_newest_hire_is_not_older": _without(
        "raw_people.employees",
        "hiring_date >= (select max(hiring_date) from raw_people.employees) - interval '10' day",
    ),
    "hires_have_arrived": _without("raw_people.employees"),
    "hires_are_made_within_two_years": _employees("hiring_date = hiring_date + interval '100 years'", "id = 7"),
    "hires_of_the_day_before_remain": _without("raw_people.employees", "id = 7"),
    "hires_shares_of_departments_are_like_the_day_before": _employees("department_id = 7", "id % 2 = 0"),
    "hires_dates_mostly_stay": _employees("hiring_date = hiring_date + interval '2 hours'", "id % 10 = 0"),
    "hires_active_share_is_like_the_day_before": _employees("is_active = false", "id % 3 = 0"),
    "departments_have_arrived": _without("raw_people.departments"),
    "departments_have_names_of_their_own": _today("raw_people.departments", "name = 'Office'", "id < 3"),
    "jobs_have_arrived": _without("raw_people.jobs"),
    "jobs_have_names_of_their_own": _today("raw_people.jobs", "name = 'Clerk'", "id < 3"),
    "people_rejects_are_fewer_than_hires": (
        added("raw_people.rejected_rows", TODAY, "range as id, 'employees' as table_name", "from range(5000)")
        + "; update raw_ops.landed_tables set row_count = 5000 "
        f"where table_name = 'rejected_rows' and run_date = '{TODAY}'"
    ),
    # people, as it is published
    "hires_newest_hire_is_the_one_that_arrived": (
        "update people.fct_hires set hired_at = hired_at + interval '1 hour'"
    ),
    "hires_by_quarter_add_up_to_the_hires": "update people.hires_by_quarter set q1 = q1 + 1 where hire_year = 2021",
    "hires_by_month_add_up_to_the_quarters": (
        "update people.hires_by_month set hire_month = 4 where hire_month = 3 and hire_year = 2021 and job_id < 9"
    ),
    # community, as it arrives
    "posts_highest_number_is_not_much_lower": _without("raw_community.posts", "id > 80"),
    "posts_of_the_day_before_mostly_remain": _without("raw_community.posts", "id % 5 = 0"),
    "users_have_arrived": _without("raw_community.users"),
    "users_latitudes_are_on_earth": _today("raw_community.users", "address_geo_lat = 5212345.6", "id = 7"),
    "users_longitudes_are_on_earth": _today("raw_community.users", "address_geo_lng = -181", "id = 7"),
    "users_have_names_of_their_own": _today("raw_community.users", "username = 'guest'", "id < 3"),
    "comments_are_signed_with_addresses": _today("raw_community.comments", "email = 'hidden'", "id % 9 = 0"),
    "photos_have_web_addresses": _today("raw_community.photos", "url = '/' || id", "id % 100 = 0"),
    "todos_completed_share_is_like_the_day_before": _today("raw_community.todos", "completed = true"),
    # community, as it is published
    "posts_comment_counts_add_up_to_the_comments": "delete from community.fct_comments where comment_id = 7",
    "comments_mostly_meet_their_posts": "update community.fct_comments set post_author_id = null where post_id > 80",
    "todos_of_users_add_up_to_what_arrived": (
        "update community.todos_completion_by_user set todo_count = todo_count - 1 where user_id = 7"
    ),
    "todos_completed_add_up_to_what_arrived": (
        "update community.todos_completion_by_user set completed_count = completed_count + 1 where user_id = 7"
    ),
    # sales
    "products_have_category_names": "update sales.dim_products set category_name = null where product_id % 2 = 0",
    "products_have_supplier_names": "update sales.dim_products set supplier_name = null where product_id % 2 = 0",
    "dates_have_no_gap": "delete from sales.dim_dates where date_day = date '1997-05-01'",
    "dates_include_the_run_date": "delete from sales.dim_dates where year_number >= 2021",
    "orders_newest_order_is_the_one_that_arrived": (
        "update sales.fct_orders set ordered_date = ordered_date - 1 "
        "where ordered_date = (select max(ordered_date) from sales.fct_orders)"
    ),
    "orders_with_lines_are_worth_something": "update sales.fct_orders set net_amount_usd = 0",
    "orders_mostly_have_lines": "update sales.fct_orders set line_count = 0 where order_id % 3 = 0",
    "orders_are_mostly_in_time": "update sales.fct_orders set is_late = true",
    "orders_mean_days_to_ship_are_plausible": "update sales.fct_orders set days_to_ship = days_to_ship + 365",
    "lines_meet_their_orders": "update sales.fct_order_lines set ordered_date = null",
    "lines_prices_are_near_list_prices": "update sales.dim_products set list_price_usd = list_price_usd * 100",
    "details_net_amount_is_that_of_the_lines": (
        "update sales.orders_with_details set net_amount_usd = net_amount_usd + 1 where product_id = 7"
    ),
    "details_name_their_customers": "update sales.orders_with_details set company_name = null where product_id % 2 = 0",
    "details_name_their_products": "update sales.orders_with_details set product_name = null where product_id % 2 = 0",
    "customers_snapshot_mostly_stays": (
        f"update snapshots.customers_snapshot set dbt_valid_from = '{TODAY}' where country <> 'France'"
    ),
    "products_snapshot_mostly_stays": _mostly_new("products", "product_id"),
    "employees_snapshot_mostly_stays": _mostly_new("employees", "employee_id"),
    "suppliers_snapshot_mostly_stays": _mostly_new("suppliers", "supplier_id"),
    # marketplace
    "availability_has_every_day_of_the_log": (
        "delete from marketplace.availability_snapshot "
        "where date = (select max(date) from marketplace.availability_snapshot)"
    ),
    "events_are_not_all_rejected": "delete from marketplace.fct_events where event_id % 50 > 0",
    "availability_counts_who_is_able": (
        "update marketplace.availability_snapshot set active_professionals_count = active_professionals_count + 1"
    ),
    "availability_falls_slowly": (
        "update marketplace.availability_snapshot set active_professionals_count = 1 "
        "where date = (select max(date) - 1 from marketplace.availability_snapshot)"
    ),
    "professionals_are_those_of_the_events": (
        "delete from marketplace.dim_professionals "
        "where professional_id = (select min(professional_id) from marketplace.dim_professionals)"
    ),
    "professionals_mostly_opened_an_account": (
        "update marketplace.dim_professionals set created_at = null where professional_id % 2 = 0"
    ),
    "professionals_are_able_after_opening_an_account": (
        "update marketplace.dim_professionals set first_able_at = created_at - interval '1 day'"
    ),
    "services_have_names_of_their_own": "update marketplace.dim_services set service_name_en = 'service'",
    "events_are_mostly_accepted": "delete from marketplace.fct_events where event_id % 5 = 0",
    "events_fees_are_plausible": "update marketplace.fct_events set lead_fee_eur = 671 where lead_fee_eur > 10",
    "events_mean_fee_is_plausible": "update marketplace.fct_events set lead_fee_eur = lead_fee_eur * 100",
}
