"""Rows and sums agree at every stage, or the stage that lost rows is named."""

import csv
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from ingestion.settings import Home
from pipeline.cli.summary import print_summary
from pipeline.ledger import Ledger
from pipeline.run.request import Request
from pipeline.site.history import read_days
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY as DAY
from tests.python.sandbox import NEXT_DAY, Sandbox

# How the rejects are split: at the extract, in staging.
REJECTED = {"northwind": (0, 0), "order_details": (2, 2), "event_log": (1, 1), "people": (0, 0), "community": (0, 0)}
TABLES = {"northwind": 13, "order_details": 1, "event_log": 1, "people": 4, "community": 6}


def _hash_number(*parts: str) -> int:
    return int(hashlib.md5("|".join(part.rstrip(" ") for part in parts).encode()).hexdigest()[:8], 16)  # noqa: S324


@pytest.fixture(scope="module")
def built(built_homes: BuiltHomes, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """Two landed days with rejects of every kind, the first one run on both engines."""
    return built_homes.copy_with_rejects(tmp_path_factory.mktemp("reconciled"))


@pytest.fixture
def change_warehouse(built: Sandbox, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Change the warehouse behind everybody's back; all is undone after."""
    warehouse, kept = built.home / "warehouse" / "tradewinds.duckdb", tmp_path / "kept.duckdb"
    shutil.copyfile(warehouse, kept)

    def change(*statements: str) -> None:
        with duckdb.connect(str(warehouse)) as connection:
            for statement in statements:
                connection.execute(statement)

    yield change
    shutil.copyfile(kept, warehouse)


def test_everyone_counts_the_same_rejects(built: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Fails if two places give two answers, of which one is wrong."""
    (logged,) = built.people.query("select count(*) from rejected_rows")
    expected = {name: sum(counts) for name, counts in REJECTED.items() if sum(counts)}
    expected |= {"people": logged[0]} if logged[0] else {}
    total = sum(expected.values())
    by_source = "select source, count(*) from quarantine.rejected_rows where run_date = $day group by source"
    assert dict(built.query(by_source.replace("$day", f"'{DAY}'"))) == expected
    listed = built.run("rejects", "list", "--run-date", DAY, "--format", "json")
    assert (len(json.loads(listed.stdout)), listed.stderr) == (total, "")
    grid = built.succeed("status").splitlines()
    assert [row.split()[8] for row in grid if row.startswith(DAY)] == [str(total)]
    print_summary(Request(Home(built.home)), DAY)
    found = re.findall(r"^(\w+) +\d+ +(\d+)  (?:generated|your own)", capsys.readouterr().out, re.MULTILINE)
    assert {name: int(count) for name, count in found if count != "0"} == expected
    days = {day.run_date: day.total("rejected_rows") for day in read_days(Ledger(Home(built.home)))}
    assert days[DAY] == total
    # Of a day that isn't built, only what couldn't be read is known, and that is said.
    next_day = built.run("rejects", "list", "--run-date", NEXT_DAY, "--format", "json")
    assert len(json.loads(next_day.stdout)) == sum(at_extract for at_extract, _ in REJECTED.values())
    assert next_day.stderr.endswith(f"tradewinds build --run-date {NEXT_DAY}\n")
    line = built.fail(3, "rejects", "list", "--run-date", NEXT_DAY, "--source", "people")
    assert line.endswith(f"run: tradewinds build --run-date {NEXT_DAY}")


def test_the_manifest_has_the_sums_of_the_database(built: Sandbox) -> None:
    tables = built.manifest("northwind", DAY)["tables"]
    (expected,) = built.northwind.query(
        "select sum(order_id)::text, sum(round(freight::text::numeric, 4))::numeric(38, 4)::text, count(*) from orders"
    )
    for stage in ("source", "landing"):
        totals = tables["orders"]["totals"][stage]
        assert (totals["key"], totals["amount"], tables["orders"]["read_rows"]) == expected
    for table, columns in {
        "customers": "customer_id",
        "employee_territories": "employee_id::text, territory_id",
    }.items():
        keys = built.northwind.query(f"select {columns} from {table}")
        assert tables[table]["totals"]["source"] == {
            "key": str(sum(_hash_number(*key) for key in keys)),
            "amount": None,
        }
    assert len(tables) == 13
    assert all(table["totals"]["source"]["key"] is not None for table in tables.values())


def test_the_manifest_has_the_sums_of_the_files(built: Sandbox) -> None:
    with built.order_details.open(newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["quantity"] not in ("many", None) and line["discount"]]
    table = built.manifest("order_details", DAY)["tables"]["order_details"]
    amount = sum(Decimal(line["unit_price"]) * int(line["quantity"]) for line in lines)
    # Integers are multiplied, each modulo a prime, so that the product stays an integer of 64 bits.
    key = sum((int(line["order_id"]) % 1_000_003 + 1) * (int(line["product_id"]) % 1_000_003 + 1) for line in lines)
    assert table["totals"]["source"] == {"key": str(key), "amount": f"{amount:.4f}"}
    assert (table["rows"], table["read_rows"]) == (len(lines), len(lines) + 2)
    with Path(built.settings["SOURCES__EVENT_LOG__PATH"]).open(encoding="utf-8", newline="") as file:
        ids = [int(line["event_id"]) for line in csv.DictReader(file, delimiter=";") if line["created_at"]]
    events = built.manifest("event_log", DAY)["tables"]["event_log"]
    assert events["totals"]["landing"] == {"key": str(sum(ids)), "amount": None}


def test_every_row_that_was_read_was_accepted_or_rejected(built: Sandbox) -> None:
    rows = built.query(
        "select source_name, sum(read_count), sum(rejected_at_extract_count), sum(rejected_in_staging_count), "
        "sum(staging_count), bool_and(is_reconciled), count(*) from ops.fct_reconciliation group by source_name"
    )
    assert {row[0]: row[2:4] for row in rows} == REJECTED
    for source, read, at_extract, in_staging, accepted, is_reconciled, tables in rows:
        assert read == at_extract + in_staging + accepted, source
        assert (is_reconciled, tables) == (True, TABLES[source])
    quarantined = dict(built.query("select source, count(*) from quarantine.rejected_rows group by source"))
    assert quarantined == {source: sum(parts) for source, parts in REJECTED.items() if sum(parts)}


def test_the_marts_have_the_sums_of_the_source(built: Sandbox) -> None:
    query = (
        "select table_name, mart_count = staging_count, mart_key_sum = staging_key_sum, "
        "mart_amount_sum is not distinct from staging_amount_sum "
        "from ops.fct_reconciliation where mart_count is not null"
    )
    assert sorted(built.query(query)) == [
        (table, True, True, True)
        for table in (
            "categories", "comments", "customers", "departments", "employees", "employees", "event_log", "jobs",
            "order_details", "orders", "posts", "products", "shippers", "suppliers", "users",
        )
    ]  # fmt: skip
    (orders,) = built.query("select source_key_sum, mart_key_sum, source_amount_sum, mart_amount_sum "
                            "from ops.fct_reconciliation where table_name = 'orders'")  # fmt: skip
    (expected,) = built.northwind.query("select sum(order_id), sum(round(freight::text::numeric, 4)) from orders")
    assert orders == (expected[0], expected[0], expected[1], expected[1])


def test_lost_and_added_rows_and_changed_prices_are_located(
    built: Sandbox, change_warehouse: Callable[..., None]
) -> None:
    change_warehouse(
        "delete from raw_northwind__versions.orders where order_id = 10250",
        "update raw_northwind__versions.order_details set unit_price = unit_price + 1 "
        "where order_id = 10251 and quantity > 0",
        "create temp table added as select * replace (99 as shipper_id) from raw_northwind__versions.shippers limit 1",
        "insert into raw_northwind__versions.shippers by name from added",
    )
    words = ["--select", "+int_stage_figures", "--indirect-selection", "empty", "--vars", f"{{run_date: {DAY}}}"]
    done = built.dbt("build", *words)
    assert done.returncode == 0, done.stdout
    figures = "select table_name, broken_between from intermediate.int_stage_figures where broken_between is not null"
    located = dict(built.query(figures))
    for table, broken in {
        "orders": "landing and raw: 830 rows, 829 rows",
        "order_details": "landing and raw: amount sum ",
        "shippers": "landing and raw: 6 rows, 7 rows",
    }.items():
        assert located.pop(table).startswith(broken)
    assert located == {}


def test_a_day_that_an_earlier_release_landed_is_not_held_to_its_way_of_summing_keys(
    built: Sandbox, change_warehouse: Callable[..., None]
) -> None:
    """Its hashes name no algorithm; counts and amounts are compared as ever."""
    lines = "where table_name = 'order_details'"
    change_warehouse(
        f"update raw_ops.landed_tables set source_key_sum = 7, landing_key_sum = 7, content_hash = md5('old') {lines}",
        "update raw_ops.landed_tables set landing_key_sum = 7 where table_name = 'orders'",
    )
    words = ["--select", "+int_stage_figures", "--indirect-selection", "empty", "--vars", f"{{run_date: {DAY}}}"]
    done = built.dbt("build", *words)
    assert done.returncode == 0, done.stdout
    figures = "select distinct table_name from intermediate.int_stage_figures where broken_between is not null"
    assert built.query(figures) == [("orders",)]


def test_changed_sums_are_located_where_tests_stop_the_marts(
    built: Sandbox, change_warehouse: Callable[..., None]
) -> None:
    change_warehouse(
        "update raw_northwind__versions.orders set freight = freight + 0.01 where order_id = 10250",
        "update raw_northwind__versions.products set unit_price = unit_price + 1 where product_id = 1",
        "delete from raw_northwind__versions.customers "
        "where customer_id = (select min(customer_id) from raw_northwind.orders)",
        "update raw_ops.landed_tables set read_count = read_count + 1 where table_name = 'event_log'",
    )
    line = built.fail(1, "build", "--run-date", DAY)
    assert line.startswith(f"tradewinds: build {DAY} failed: ")
    located = line.partition("test assert_every_stage_reconciles: ")[2]
    assert f"run_date={DAY}, source=" in located
    assert "table_name=orders, broken_between=landing and raw: amount sum " in located
    assert "table_name=products, broken_between=landing and raw: amount sum " in located
    assert "table_name=customers, broken_between=landing and raw: " in located
    assert "4 results" in located  # of which three are shown
    unaccounted = line.partition("test assert_accepted_and_rejected_make_read: ")[2]
    assert "table_name=event_log, read_count=" in unaccounted


def test_a_mart_that_lost_a_row_is_found(built: Sandbox, change_warehouse: Callable[..., None]) -> None:
    change_warehouse("delete from sales.dim_shippers where shipper_id = 1")
    words = ["--select", "fct_reconciliation", "assert_every_mart_reconciles", "--vars", f"{{run_date: {DAY}}}"]
    done = built.dbt("build", *words)
    assert done.returncode == 1
    assert "FAIL 1 assert_every_mart_reconciles" in done.stdout
    broken = built.query("select table_name, broken_between from ops.fct_reconciliation where not is_reconciled")
    assert [(table, text.partition(":")[0]) for table, text in broken] == [("shippers", "staging and mart")]


def test_a_day_that_was_never_built_is_counted_up_to_raw(built: Sandbox) -> None:
    built.succeed("load", "--run-date", NEXT_DAY)
    built.succeed("load", "--run-date", DAY)
    told = ["+fct_reconciliation", "dim_run_dates", "fct_pipeline_steps", "--indirect-selection", "empty"]
    done = built.dbt("build", "--select", *told, "--vars", f"{{run_date: {DAY}}}")
    assert done.returncode == 0, done.stdout
    rows = built.query(
        "select run_date::varchar, bool_and(is_reconciled), count(raw_count), count(staging_count), count(mart_count) "
        "from ops.fct_reconciliation group by run_date order by run_date"
    )
    assert rows == [(DAY, True, 25, 25, 15), (NEXT_DAY, True, 25, 0, 0)]
    days = "select run_date::varchar, table_count, rejected_count, is_latest from ops.dim_run_dates"
    (logged,) = built.people.query("select count(*) from rejected_rows")
    assert built.query(days) == [(DAY, 25, sum(map(sum, REJECTED.values())) + logged[0], True)]
    steps = built.query("select step, source_name, state from ops.fct_pipeline_steps where run_date = '2021-01-02'")
    assert sorted(steps, key=str) == [
        *(("extract", source, "done") for source in sorted(REJECTED)), ("load", None, "done"),
    ]  # fmt: skip


def test_postgres_reconciles_to_the_same_figures(built: Sandbox) -> None:
    columns = "source_name, table_name, read_count, raw_count, staging_count, mart_count, " + ", ".join(
        f"{stage}_{measure}" for stage in ("source", "raw", "staging", "mart") for measure in ("key_sum", "amount_sum")
    )
    query = f"select {columns} from ops.fct_reconciliation where run_date = '{DAY}' and is_reconciled"
    found = built.warehouse.query(query)
    assert len(found) == sum(TABLES.values())
    assert sorted(found, key=str) == sorted(built.query(query), key=str)


@pytest.mark.parametrize(
    ("engine", "days_later", "code", "status"),
    [("duckdb", 0, 0, "PASS"), ("duckdb", 1, 0, "WARN"), ("duckdb", 2, 1, "ERROR"), ("postgres", 1, 0, "WARN")],
)
def test_freshness_is_measured_at_the_end_of_the_run_date(
    built: Sandbox, engine: str, days_later: int, code: int, status: str
) -> None:
    latest = NEXT_DAY if engine == "duckdb" else DAY
    day = f"2021-01-0{int(latest[-1]) + days_later}"
    done = built.dbt("source", "freshness", "--target", engine, "--vars", f"{{run_date: {day}}}")
    assert done.returncode == code, done.stdout
    assert done.stdout.count(f" {status}") >= 23
    if days_later == 0:  # a later day is not there yet
        assert " WARN" not in done.stdout


def test_postgres_locates_a_lost_row_too(built: Sandbox) -> None:
    built.warehouse.execute("delete from raw_northwind__versions.orders where order_id = 10250")
    line = built.fail(1, "build", "--run-date", DAY, "--target", "postgres")
    located = line.partition("test assert_every_stage_reconciles: ")[2]
    assert f"run_date={DAY}, source=northwind, table_name=orders, broken_between=landing and raw: 830 " in located
    assert "model " not in line  # fct_reconciliation takes a second build's rows
