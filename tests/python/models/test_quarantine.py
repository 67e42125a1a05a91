"""Every rejected row of every landed day is in quarantine, whatever was built before."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from pipeline.run import steps
from pipeline.run.request import Request
from tests.python.history import requesting
from tests.python.sandbox import Sandbox, make_sandbox, make_warehouse

DAYS = ("2021-01-01", "2021-01-02")
Rows = list[tuple]


@pytest.fixture(scope="module")
def landed(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """Two landed days with rows that can't be read and rows that break a rule, more of them on the second."""
    sandbox = make_sandbox(server, tmp_path_factory.mktemp("landed"))
    events = tmp_path_factory.mktemp("events") / "event_log.csv"
    events.write_text(
        "event_id;event_type;professional_id_anonymized;created_at;meta_data\n"
        "1;created_account;7;2020-02-01 10:00:00;\n"
        "2;fell_asleep;7;2020-02-01 10:00:00.5;\n"
        "3;proposed;;2020-02-01 10:00:00;5_schilder_painter_4.50\n"
    )
    sandbox.settings["SOURCES__EVENT_LOG__PATH"] = str(events)
    sandbox.order_details.write_text(
        "order_id,product_id,unit_price,quantity,discount\n"
        "10248,11,14,12,0\n"
        "10248,42,9.80,0,0.05\n"
        "10248,42,9.80,0,0.05\n"
        ",72,34.8,5,0\n"
        "10249,14,18.6,nine,0\n"
    )
    database = sandbox.northwind
    database.execute("alter table orders drop constraint pk_orders cascade")
    database.execute("alter table orders disable trigger all")
    database.execute("alter table orders alter column order_id drop not null")
    database.execute(
        "insert into orders (order_id, customer_id, order_date, ship_via, freight, ship_name) "
        "values (null, 'VINET', '1996-07-04', 3, 32.38, 'Vins et alcools'), "
        "(null, null, null, null, 10, 'Ünïcode | ''')"
    )
    sandbox.succeed("extract", "--run-date", DAYS[0])
    database.execute("update orders set shipped_date = 'infinity' where order_id = 10250")
    with sandbox.order_details.open("a") as lines:
        lines.write("10250,41,7.7\n10250,65,16.8,10,1.5\n")
    sandbox.succeed("extract", "--run-date", DAYS[1])
    return sandbox


def _expected(day: str) -> Rows:
    first = [
        (day, "order_details", "order_details", None, None, "quantity_not_positive", "10248,42,9.8,0,0.05"),
        (day, "order_details", "order_details", None, None, "quantity_not_positive", "10248,42,9.8,0,0.05"),
        (day, "order_details", "order_details", None, None, "missing_id", ",72,34.8,5,0"),
        (day, "order_details", "order_details", "order_details.csv", 6, "quantity has the wrong type",
         "10249,14,18.6,nine,0"),
        (day, "event_log", "event_log", None, None, "unknown_event_type", "2;fell_asleep;7;2020-02-01 10:00:00.5;"),
        (day, "event_log", "event_log", None, None, "missing_professional_id",
         "3;proposed;;2020-02-01 10:00:00;5_schilder_painter_4.50"),
        (day, "northwind", "orders", None, None, "missing_order_id",
         "|VINET||1996-07-04|||3|32.38|Vins et alcools|||||"),
        (day, "northwind", "orders", None, None, "missing_order_id", "|||||||10|Ünïcode | '|||||"),
    ]  # fmt: skip
    more = [
        (day, "order_details", "order_details", "order_details.csv", 7, "wrong number of columns", "10250,41,7.7"),
        (day, "order_details", "order_details", None, None, "discount_not_0_to_1", "10250,65,16.8,10,1.5"),
    ]
    return first + (more if day == DAYS[1] else [])


def _quarantined(request: Request) -> Rows:
    with request.warehouse.reading("quarantine.rejected_rows") as batches:
        rows = [tuple(row.values()) for row in batches.read_all().to_pylist()]
    return [(str(day), *others) for day, *others in rows]


def _build(request: Request, day: str, *words: str) -> None:
    """Build quarantine and what it stands on, without tests: those compare it with marts that aren't built here."""
    alone = ["+rejected_rows", "--indirect-selection", "empty", *words]
    try:
        request.dbt.build(day, select=alone, on_node=lambda *_: None)
    finally:
        request.dbt.release()


def _without_database_rejects(rows: Rows) -> Rows:
    """Leave out what Postgres wrote as JSON, which is looked at by itself."""
    return sorted((row for row in rows if not row[5].startswith("out of range")), key=repr)


@pytest.mark.parametrize("target", ["duckdb", "postgres"])
def test_quarantine_is_what_was_landed_in_any_order(
    landed: Sandbox, server: EmbeddedPostgres, tmp_path: Path, target: str
) -> None:
    with requesting(landed, tmp_path, make_warehouse(server) if target == "postgres" else None) as request:
        for day in reversed(DAYS):
            steps.load(request, day)
        # The first day was never built, and is there all the same.
        _build(request, DAYS[1])
        both = _quarantined(request)
        assert _without_database_rejects(both) == sorted(_expected(DAYS[0]) + _expected(DAYS[1]), key=repr)
        (infinite,) = [row for row in both if row[5] == "out of range: shipped_date"]
        assert infinite[:5] == (DAYS[1], "northwind", "orders", None, None)
        assert json.loads(infinite[6])["order_id"] == 10250
        # A build of the first day knows nothing of the second.
        _build(request, DAYS[0])
        assert _without_database_rejects(_quarantined(request)) == sorted(_expected(DAYS[0]), key=repr)
        # Loaded once more, and built again.
        steps.load(request, DAYS[0])
        _build(request, DAYS[1])
        assert sorted(_quarantined(request), key=repr) == sorted(both, key=repr)


@pytest.fixture(scope="module")
def judged(landed: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home on DuckDB in which both days are loaded and quarantine is built."""
    home = tmp_path_factory.mktemp("judged")
    with requesting(landed, home, None) as request:
        for day in DAYS:
            steps.load(request, day)
        _build(request, DAYS[1])
    return home


@pytest.fixture
def duckdb_request(landed: Sandbox, judged: Path, tmp_path: Path) -> Iterator[Request]:
    """A request on a copy of that home."""
    shutil.copytree(judged, tmp_path / "home")
    with requesting(landed, tmp_path / "home", None) as request:
        yield request


def _execute(request: Request, *statements: str) -> Rows:
    with duckdb.connect(str(request.warehouse.path)) as connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


def test_only_new_and_changed_days_are_judged(duckdb_request: Request) -> None:
    before = _quarantined(duckdb_request)
    # Marked by hand: a day that is judged again loses the mark.
    _execute(duckdb_request, "update quarantine.rejected_rows set raw_text = 'kept' where source = 'event_log'")
    _execute(duckdb_request, f"update raw_ops.landed_tables set run_id = 'new' where run_date = '{DAYS[1]}'")
    _build(duckdb_request, DAYS[1])
    marked = "select run_date::varchar, count(*) from quarantine.rejected_rows where raw_text = 'kept' group by 1"
    assert _execute(duckdb_request, marked) == [(DAYS[0], 2)]
    # A table made anew has all days.
    _execute(duckdb_request, "drop table quarantine.rejected_rows")
    _build(duckdb_request, DAYS[1])
    assert sorted(_quarantined(duckdb_request), key=repr) == sorted(before, key=repr)


def test_a_build_that_breaks_off_leaves_quarantine_as_it_was(duckdb_request: Request) -> None:
    before = sorted(_quarantined(duckdb_request), key=repr)
    judged = _execute(duckdb_request, "from quarantine._judged_days order by run_date")
    _execute(
        duckdb_request,
        f"update raw_ops.landed_tables set run_id = 'new' where run_date = '{DAYS[1]}'",
        "alter table quarantine._judged_days rename to old",
        "create table quarantine._judged_days (run_date date, inputs varchar check (inputs in ('"
        + "', '".join(inputs for _, inputs in judged)
        + "')))",
        "insert into quarantine._judged_days from quarantine.old",
    )
    with pytest.raises(Exception, match="rejected_rows"):
        _build(duckdb_request, DAYS[1])
    assert sorted(_quarantined(duckdb_request), key=repr) == before
    assert _execute(duckdb_request, "from quarantine._judged_days order by run_date") == judged


def test_an_empty_build_changes_nothing(duckdb_request: Request) -> None:
    """Neither of a day that is to be judged anew, nor of one that never was."""
    whole = sorted(_quarantined(duckdb_request), key=repr)
    _build(duckdb_request, DAYS[0])
    first = sorted(_quarantined(duckdb_request), key=repr)
    _execute(duckdb_request, f"update raw_ops.landed_tables set run_id = 'new' where run_date = '{DAYS[0]}'")
    _build(duckdb_request, DAYS[1], "--empty")
    assert sorted(_quarantined(duckdb_request), key=repr) == first
    _build(duckdb_request, DAYS[1])
    assert sorted(_quarantined(duckdb_request), key=repr) == whole
