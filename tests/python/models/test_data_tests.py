"""dbt's tests across rows find what they are there for, in a day that was good before."""

import json
from pathlib import Path

import duckdb

from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY
from tests.python.spoils import added

# Each part of a test is broken once, with the number of rows that it finds.
SPOILS = {
    "assert_history_has_one_version_a_day": [
        # The same version a day earlier, open or closed, and one that ends before it begins.
        "insert into snapshots.customers_snapshot by name select * replace "
        "(dbt_valid_from - interval '1 day' as dbt_valid_from) from snapshots.customers_snapshot limit 1",
        "insert into snapshots.products_snapshot by name select * replace "
        "(dbt_valid_from - interval '2 days' as dbt_valid_from, dbt_valid_from + interval '1 day' as dbt_valid_to) "
        "from snapshots.products_snapshot limit 1",
        "insert into snapshots.suppliers_snapshot by name select * from snapshots.suppliers_snapshot limit 1",
        "update snapshots.employees_snapshot set dbt_valid_to = dbt_valid_from where employee_id = 5",
    ],
    "assert_order_totals_equal_their_lines": [
        "update sales.fct_orders set net_amount_usd = net_amount_usd + 1 where order_id = 10248",
        "update sales.fct_orders set discount_amount_usd = discount_amount_usd + 1 where order_id = 10249",
        "update sales.fct_order_lines set discount_amount_usd = discount_amount_usd + 1 where order_id = 10249 "
        "and product_id = (select min(product_id) from sales.fct_order_lines where order_id = 10249)",
    ],
    "assert_northwind_rows_have_parents": [
        "update raw_northwind__versions.employees set reports_to = 99 where employee_id = 1",
        "update raw_northwind__versions.employee_territories set territory_id = 'none' "
        "where territory_id = (select min(territory_id) from raw_northwind.employee_territories)",
        "update raw_northwind__versions.territories set region_id = 99 "
        "where territory_id = (select min(territory_id) from raw_northwind.territories)",
        added("raw_northwind.customer_customer_demo", BUILT_DAY, "'NOONE' as customer_id, 'A' as customer_type_id"),
    ],
    "assert_community_rows_have_parents": [
        'update raw_community__versions.albums set "userId" = 99 where id = 1',
        'update raw_community__versions.todos set "userId" = 99 where id = 1',
        'update raw_community__versions.photos set "albumId" = 999 where id = 1',
    ],
}
FOUND = {
    "assert_history_has_one_version_a_day": ("fail", 4),
    "assert_order_totals_equal_their_lines": ("fail", 2),
    "assert_northwind_rows_have_parents": ("warn", 4),
    "assert_community_rows_have_parents": ("warn", 3),
}


def test_tests_across_rows_find_what_is_broken(built_homes: BuiltHomes, tmp_path: Path) -> None:
    built = built_homes.copy(tmp_path)
    with duckdb.connect(str(built.home / "warehouse" / "tradewinds.duckdb")) as connection:
        for statement in (statement for statements in SPOILS.values() for statement in statements):
            connection.execute(statement)
    built.dbt("test", "--select", *FOUND)
    results = json.loads((built.home / "target" / "run_results.json").read_text())["results"]
    found = {one["unique_id"].rpartition(".")[2]: (one["status"], one["failures"]) for one in results}
    assert {name: found[name] for name in FOUND} == FOUND
