"""A day's result depends only on what had landed by then, not on other runs."""

import csv
import hashlib
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY as DAY_1
from tests.python.sandbox import NEXT_DAY as DAY_2
from tests.python.sandbox import Sandbox

_MARTS = ("fct_orders", "fct_order_lines", "orders_with_details")


def _files(folder: Path) -> dict[str, tuple[str, int]]:
    """Return each file's SHA-256 and mtime (ns) by path."""
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _state_of(sandbox: Sandbox, run_date: str) -> dict:
    """Return what a day is made of: content hashes, raw counts, mart rows, export bytes."""
    hashes = {
        f"{source}.{name}": table["content_hash"]
        for source in ("northwind", "order_details")
        for name, table in sandbox.manifest(source, run_date)["tables"].items()
    }
    names = sorted({name.partition(".")[2] for name in hashes})
    counted = f"where _run_date = '{run_date}'"
    return {
        "hashes": hashes,
        "raw": {name: sandbox.query(f"select count(*) from raw_northwind.{name} {counted}") for name in names},
        "marts": {mart: sorted(map(repr, sandbox.query(f"from sales.{mart}"))) for mart in _MARTS},
        "exports": {path.name: path.read_bytes() for path in (sandbox.home / "exports" / run_date).iterdir()},
    }


@pytest.fixture(scope="module")
def sandbox(built_homes: BuiltHomes, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A home in which day 1 was run, and day 2 after changes in orders and customers."""
    return built_homes.copy_changed(tmp_path_factory.mktemp("days"))


@pytest.fixture(scope="module")
def days(sandbox: Sandbox, shared_built: Sandbox) -> dict:
    """Run day 1 again after day 2; return what was seen after each."""
    second = _state_of(sandbox, DAY_2)
    landing_before = _files(sandbox.home / "landing")
    again_output = sandbox.succeed("run", "--run-date", DAY_1)
    return {
        "first": _state_of(shared_built, DAY_1),
        "second": second,
        "again": _state_of(sandbox, DAY_1),
        "again_output": again_output,
        "landing_before": landing_before,
        "landing_after": _files(sandbox.home / "landing"),
    }


def test_a_day_run_again_comes_out_the_same(days: dict) -> None:
    assert days["again"] == days["first"]


def test_the_days_differ_where_the_source_did(days: dict) -> None:
    differing = {name for name, hash_ in days["first"]["hashes"].items() if days["second"]["hashes"][name] != hash_}
    assert differing == {"northwind.orders", "northwind.customers"}
    assert days["first"]["marts"] != days["second"]["marts"]


def test_a_landed_day_is_never_touched_again(days: dict) -> None:
    locks = "_locks"
    before = {path: seen for path, seen in days["landing_before"].items() if locks not in path}
    after = {path: seen for path, seen in days["landing_after"].items() if locks not in path}
    assert after == before
    assert "already landed" in days["again_output"]


def test_an_older_day_leaves_the_published_one(days: dict, sandbox: Sandbox) -> None:
    assert "left as it is" in days["again_output"]
    assert sandbox.published("select run_date::varchar from published_version") == [(DAY_2,)]


def test_a_second_extract_of_the_same_data_has_the_same_content(days: dict, sandbox: Sandbox) -> None:
    before = sandbox.manifest("northwind", DAY_2)
    sandbox.succeed("extract", "--run-date", DAY_2, "--source", "northwind")
    after = sandbox.manifest("northwind", DAY_2)
    assert after["run_id"] != before["run_id"]
    assert {name: table["content_hash"] for name, table in after["tables"].items()} == {
        name: table["content_hash"] for name, table in before["tables"].items()
    }
    listed = {file["path"] for table in after["tables"].values() for file in table["files"]}
    landing = sandbox.home / "landing"
    kept = {str(path.relative_to(landing)) for path in landing.glob(f"postgres/*/run_date={DAY_2}/*")}
    assert kept == {path for path in listed if DAY_2 in path}


def test_an_extract_if_missing_asks_no_source_again(days: dict, sandbox: Sandbox) -> None:
    before = sandbox.manifest("order_details", DAY_1)
    words = ("extract", "--run-date", DAY_1, "--source", "order_details", "--if-missing")
    assert "already landed" in sandbox.succeed(*words)
    assert sandbox.manifest("order_details", DAY_1) == before
    assert "--if-missing" in sandbox.fail(2, *words, "--table", "order_details")


def test_marts_equal_an_independent_computation(days: dict, sandbox: Sandbox) -> None:
    """Prices by Python's decimals from the CSV, dates by Postgres."""
    cents = Decimal("0.0001")
    gross = discount = Decimal(0)
    with sandbox.order_details.open(newline="") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        line_gross = Decimal(line["unit_price"]) * int(line["quantity"])
        gross += line_gross
        discount += (line_gross * Decimal(line["discount"])).quantize(cents, ROUND_HALF_UP)
    rows = json.loads(days["first"]["exports"]["orders_with_details.json"], parse_float=Decimal)
    assert sum(row["gross_amount_usd"] for row in rows) == gross
    assert sum(row["net_amount_usd"] for row in rows) == gross - discount
    assert len(rows) == len(lines)
    # Day 2's source is still there: the marts of day 2 must say what Postgres says of it.
    (expected,) = sandbox.northwind.query(
        "select count(*), count(*) filter (where shipped_date is null), "
        "count(*) filter (where shipped_date > required_date), sum(round(freight::text::numeric, 4)) from orders"
    )
    found = sandbox.published(
        "select count(*), count(*) filter (not is_shipped), count(*) filter (is_late), sum(freight_usd) "
        "from sales.fct_orders"
    )
    assert found == [expected]


def test_landing_holds_what_postgres_holds(days: dict, sandbox: Sandbox) -> None:
    """Bytea, NULLs, unicode and every row of every table, the two empty ones with their columns."""
    import duckdb

    manifest = sandbox.manifest("northwind", DAY_2)
    assert len(manifest["tables"]) == 13
    empty = {name for name, table in manifest["tables"].items() if table["rows"] == 0}
    assert empty == {"customer_customer_demo", "customer_demographics"}
    for name, table in manifest["tables"].items():
        columns = [column["name"] for column in table["columns"]]
        expected = sandbox.northwind.query(f'select {", ".join(columns)} from "{name}"')
        files = [str(sandbox.home / "landing" / file["path"]) for file in table["files"]]
        landed = duckdb.execute("select * from read_parquet(?, hive_partitioning = false)", [files]).fetchall()
        if name in ("orders", "products"):  # psycopg widens single floats by their text, DuckDB by their bits
            expected, landed = _rounded(expected), _rounded(landed)
        assert sorted(map(repr, landed)) == sorted(map(repr, expected)), name


def _rounded(rows: list[tuple]) -> list[tuple]:
    return [tuple(round(value, 3) if isinstance(value, float) else value for value in row) for row in rows]
