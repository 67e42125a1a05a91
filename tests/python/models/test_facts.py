"""A fact that is changed in place, and a table that is left as it is, have the rows of a rebuild."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import StepFailed
from ingestion.samples.generate import write_event_log
from tests.python.built import BuiltHomes
from tests.python.history import requesting
from tests.python.marts import TARGETS, read_marts
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Sandbox

LAST_DAY = "2021-01-03"
SOURCES = ("northwind", "order_details", "event_log", "people")
FACTS = (
    "sales.fct_orders",
    "sales.fct_order_lines",
    "sales.orders_with_details",
    "marketplace.fct_events",
    "marketplace.dim_professionals",
)
# People don't change before the last day: on DuckDB it is left as it is.
HIRES = "people.fct_hires"
NODES = ("+orders_with_details", "+fct_events", "+fct_hires", "--indirect-selection", "empty")

# Of a late order, an unknown one, and one that breaks a rule.
LINES = ["20000,7,10,3,0", "20001,7,10,3,0", "10255,77,1,0,0"]
EVENTS = ["9000001;became_able_to_propose;7;2020-02-01 10:00:00;", "9000002;fell_asleep;7;2020-02-01 10:00:00;"]

# Corrections, a moved and a late order, one gone while its lines stay, one that will be overdue, names; then what
# changes many rows, and back.
CHANGES = {
    NEXT_DAY: [
        "update orders set freight = freight + 1, ship_city = 'Elsewhere' where order_id = 10248",
        "update orders set customer_id = (select max(customer_id) from customers) where order_id = 10260",
        "insert into orders (order_id, order_date, ship_via) values (20000, '1996-08-01', 1)",
        "delete from orders where order_id = 10251",
        f"update orders set shipped_date = null, required_date = '{NEXT_DAY}' where order_id = 10300",
        "update customers set company_name = 'Renamed' where customer_id = (select min(customer_id) from customers)",
        "update products set product_name = 'Renamed', units_in_stock = 0 where product_id = 7",
        "update products set units_in_stock = units_in_stock + 1",
    ],
    LAST_DAY: [
        "update categories set category_name = 'Renamed' where category_id <= 4",
        "update orders set freight = freight - 1 where order_id = 10248",
        "update employees set last_name = 'Renamed' where employee_id = 1",
        "update shippers set company_name = 'Renamed' where shipper_id = 1",
    ],
}


def _change_files(sandbox: Sandbox, day: str) -> None:
    """Change, add, remove and spoil lines of both files before NEXT_DAY; remove one more after it."""
    for path, added in ((sandbox.order_details, LINES), (Path(sandbox.settings["SOURCES__EVENT_LOG__PATH"]), EVENTS)):
        header, *lines = path.read_text().splitlines()
        if day == NEXT_DAY:
            # The quantity of a line, the professional of an event.
            lines = [line.replace(",14,", ",15,").replace(";297;", ";298;") for line in lines[:11]] + lines[11:] + added
        path.write_text("\n".join([header, *lines[:20], *lines[22:]]) + "\n")


@contextmanager
def _building(sandbox: Sandbox) -> Iterator[Callable[[str], None]]:
    with requesting(sandbox, sandbox.home, sandbox.warehouse) as request:
        release = request.dbt.release

        def build(day: str) -> None:
            try:
                request.dbt.build(day, select=[*NODES], on_node=lambda name, status, seconds: None)
            finally:
                release()

        yield build


def _execute(sandbox: Sandbox, statement: str) -> None:
    """Run a statement on the warehouse, in which `sales` and `people` are where the marts are built."""
    if sandbox.warehouse:
        sandbox.warehouse.execute(statement.replace("sales.", "sales__build.").replace("people.", "people__build."))
    else:
        with duckdb.connect(str(sandbox.home / "warehouse" / "tradewinds.duckdb")) as warehouse:
            warehouse.execute(statement)


def _trust(sandbox: Sandbox) -> None:
    """Stand in for the rest of a whole build, which is good."""
    _execute(sandbox, "update raw_ops.build_mark set state = 'built'")


def _change_by_hand(sandbox: Sandbox, text: str) -> None:
    """Change a text of a row that no source changes: it stays so until its table is rebuilt."""
    name, job = text.format("company_name"), text.format("job")
    _execute(sandbox, f"update sales.orders_with_details set company_name = {name} where order_id = 10400")
    _execute(sandbox, f"update people.fct_hires set job = {job} where employee_id = 1")


def _rows(sandbox: Sandbox, target: str) -> dict[str, list[str]]:
    found = read_marts(sandbox, target, (*FACTS, HIRES))
    return {fact: sorted(repr(sorted(row.items())) for row in rows) for fact, rows in found.items()}


@pytest.mark.parametrize("target", TARGETS)
def test_a_fact_changed_in_place_is_a_rebuilt_one(built_homes: BuiltHomes, tmp_path: Path, target: str) -> None:
    sandbox = built_homes.copy(tmp_path, target)
    sandbox.settings["SOURCES__EVENT_LOG__PATH"] = str(tmp_path / "events.csv")
    write_event_log(tmp_path / "events.csv", scale=1)
    first = _rows(sandbox, target)
    for day, changes in CHANGES.items():
        for change in changes:
            sandbox.northwind.execute(change)
        _change_files(sandbox, day)
        if day == LAST_DAY:
            sandbox.people.execute("update departments set name = 'Renamed' where id = 1")
        named = [word for source in SOURCES for word in ("--source", source)]
        for step in ("extract", "load"):
            sandbox.succeed(step, "--run-date", day, *named)

    with _building(sandbox) as build:
        _change_by_hand(sandbox, "{} || '!'")
        build(NEXT_DAY)
        for table in (FACTS[2], HIRES) if target == "duckdb" else (FACTS[2],):
            assert any("!'" in row for row in _rows(sandbox, target)[table]), "it was rebuilt"
        _change_by_hand(sandbox, "rtrim({}, '!')")
        next_day = _rows(sandbox, target)
        assert [table for table in (*FACTS, HIRES) if next_day[table] == first[table]] == [HIRES]

        # A build that fails between two facts leaves days mixed; that only a part was built is no different.
        _trust(sandbox)
        _execute(sandbox, "alter table sales.fct_order_lines add column by_hand integer")
        with pytest.raises(StepFailed, match="fct_order_lines"):
            build(LAST_DAY)
        build(NEXT_DAY)
        assert _rows(sandbox, target) == next_day

        _trust(sandbox)
        build(LAST_DAY)
        last_day = _rows(sandbox, target)
        before, after = (next(row for row in rows[FACTS[0]] if "10300)" in row) for rows in (next_day, last_day))
        assert before.replace("('is_overdue', False)", "('is_overdue', True)") == after, "only the run date changes it"
        assert any("'Renamed'" in row for row in last_day[HIRES])

        # The day that is there, and one before it, are rebuilt.
        _trust(sandbox)
        _change_by_hand(sandbox, "'By hand'")
        build(LAST_DAY)
        assert _rows(sandbox, target) == last_day
        if target == "duckdb":  # the condition is the same SQL
            _trust(sandbox)
            build(BUILT_DAY)
            assert _rows(sandbox, target) == first
