"""A real Postgres that changes between two days, or is written to, cut off, stalled or restarted while it is used."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from urllib.parse import urlsplit

import duckdb
import psycopg
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import StepFailed
from ingestion.extract import extract_source
from ingestion.landing import Landing
from ingestion.load import load_sources
from ingestion.samples.generate import fill_northwind
from ingestion.settings import Home
from ingestion.sources import SOURCES
from ingestion.warehouse import open_warehouse
from tests.faults.proxy import Proxy, proxied, stall
from tests.faults.small import DAYS, Small
from tests.faults.trials import Fault
from tests.faults.worker import Worker
from tests.python.homes import copy_database
from tests.python.sandbox import Database, warehouse_settings

NAME, (DAY, NEXT, _) = "northwind", DAYS
SETTING = "SOURCES__NORTHWIND__CREDENTIALS"
# Each change of a database: what refuses it (None: nothing does), and a query for its rows on any engine.
CHANGES: dict[str, tuple[str, str | None, str]] = {
    "a column dropped": (
        "alter table shippers drop column phone",
        "shippers.phone: string → gone",
        "select shipper_id, company_name from {0}shippers",
    ),
    "a column added": (
        "alter table shippers add column is_green boolean default true",
        None,
        "select shipper_id, phone, is_green from {0}shippers",
    ),
    "a column renamed": (
        "alter table shippers rename column phone to telephone",
        "shippers.phone: string → gone",
        "select shipper_id, telephone from {0}shippers",
    ),
    "an integer becomes a float": (
        "alter table products alter units_in_stock type double precision using units_in_stock + 0.5",
        "products.units_in_stock: int16 → double",
        "select product_id, cast(units_in_stock as double precision) from {0}products",
    ),
    "an integer becomes text": (
        "alter table products alter units_in_stock type text using units_in_stock || ' pieces'",
        "products.units_in_stock: int16 → string",
        "select product_id, units_in_stock from {0}products",
    ),
    "a float becomes a decimal": (
        "alter table orders alter freight type numeric(12, 4) using freight + 0.0001",
        "orders.freight: float → decimal128(12, 4)",
        "select order_id, cast(freight as numeric(12, 4)) from {0}orders",
    ),
    "a table dropped": (
        "drop table us_states",
        "table us_states → gone",
        "select shipper_id, phone from {0}shippers",
    ),
}


@pytest.fixture
def untouched(server: EmbeddedPostgres, northwind: Database, home: Home, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database whose first day has landed and is loaded."""
    monkeypatch.setenv("TRADEWINDS_HOME", str(home.root))
    monkeypatch.setenv(SETTING, northwind.url)
    extract_source(SOURCES[NAME], DAY, home)
    load_sources([SOURCES[NAME]], DAY, home, open_warehouse("duckdb", home))
    return northwind


def _hashes(landing: Landing, day: str) -> dict[str, str]:
    manifest = landing.manifest(NAME, day)
    return {table: landed.content_hash for table, landed in manifest.tables.items()} if manifest else {}


def _raw(home: Home, query: str, day: str) -> Counter:
    rows = query.format("raw_northwind.") + f" where _run_date = '{day}'"
    with duckdb.connect(str(home.warehouse / "tradewinds.duckdb"), read_only=True) as connection:
        return Counter(connection.execute(rows).fetchall())


def test_a_changed_table_is_refused_or_lands_as_it_is(
    fault: Callable[[str], Fault], server: EmbeddedPostgres, untouched: Database, home: Home, landing: Landing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A refused change lands once it is accepted; the day before keeps its rows, and both have their values in raw."""
    counting, before, name = (
        fault("a table of the source changed"),
        _hashes(landing, DAY),
        untouched.url.rpartition("/")[2],
    )
    every_order = "select order_id, cast(freight as real) from {0}orders"
    first = _raw(home, every_order, DAY)
    for _ in counting.trials(len(CHANGES), len(CHANGES)):
        change, refused, query = list(CHANGES.values())[counting.trial]
        database = Database(copy_database(server, name))
        database.execute(change)
        monkeypatch.setenv(SETTING, database.url)
        if refused:
            with pytest.raises(StepFailed) as raised:
                extract_source(SOURCES[NAME], NEXT, home)
            assert refused in str(raised.value), (counting, raised.value)
            assert landing.manifest(NAME, NEXT) is None, counting
        extract_source(SOURCES[NAME], NEXT, home, accept_drift=bool(refused))
        load_sources([SOURCES[NAME]], NEXT, home, open_warehouse("duckdb", home))
        counting.seen({NEXT: _raw(home, query, NEXT)}, {NEXT: Counter(database.query(query.format("")))})
        assert _hashes(landing, DAY) == before, counting
        # The next trial's day before is the first day again.
        (home.root / "landing" / "_manifests" / NAME / f"{NEXT}.json").unlink()
        counting.converged(_raw(home, every_order, DAY), first)


def test_orders_and_customers_agree_while_they_are_written(
    fault: Callable[[str], Fault], untouched: Database, home: Home
) -> None:
    """Somebody inserts and deletes customers with their orders; no day has an order without its customer."""
    counting = fault("the source written to during an extract")
    for _ in counting.trials(10, 2):
        with _writing(untouched) as written:
            manifest = extract_source(SOURCES[NAME], NEXT, home)
        assert written.is_set(), "nothing was written meanwhile"
        files = {
            table: [str(home.root / "landing" / file.path) for file in manifest.tables[table].files]
            for table in ("orders", "customers")
        }
        orphans = "select count(*) from read_parquet(?) anti join read_parquet(?) using (customer_id)"
        counting.converged(duckdb.execute(orphans, [files["orders"], files["customers"]]).fetchall(), [(0,)])


@contextmanager
def _writing(database: Database) -> Iterator[threading.Event]:
    over, written = threading.Event(), threading.Event()

    def write() -> None:
        with psycopg.connect(database.url) as connection:
            connection.execute("delete from orders where customer_id like 'W0%'")
            connection.execute("delete from customers where customer_id like 'W0%'")
            number = 0
            while not over.is_set():
                number += 1
                connection.execute(
                    "insert into customers (customer_id, company_name) values (%s, 'x')", [f"W{number % 9999:04}"]
                )
                connection.execute(
                    "insert into orders (order_id, customer_id) select max(order_id) + 1, %s from orders",
                    [f"W{number % 9999:04}"],
                )
                connection.execute("delete from orders where customer_id = %s", [f"W{number - 20:04}"])
                connection.execute("delete from customers where customer_id = %s", [f"W{number - 20:04}"])
                connection.commit()
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        written.wait(30)
        yield written
    finally:
        over.set()
        writer.join()


def _extract_through(proxy: Proxy, counting: Fault, home: Home, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Extract the next day through a proxy; return whether it landed, else with one line that says why not."""
    monkeypatch.setenv(SETTING, proxy.url)
    failure = ""
    try:
        extract_source(SOURCES[NAME], NEXT, home)
    except StepFailed as error:
        failure = str(error)
    assert "\n" not in failure, counting
    assert urlsplit(proxy.url).password not in failure, counting
    return not failure


@pytest.mark.parametrize("how", ["cut", "stalled"])
def test_a_connection_may_break_at_any_byte(
    fault: Callable[[str], Fault], untouched: Database, home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:  # fmt: skip
    """A cut extract lands nothing and can be repeated; one that was stalled for a while is whole."""
    counting, wanted, failed = fault(f"the connection to the source {how}"), _hashes(landing, DAY), 0
    manifest = home.root / "landing" / "_manifests" / NAME / f"{NEXT}.json"
    with proxied(untouched.url) as proxy:
        assert _extract_through(proxy, counting, home, monkeypatch)
        size = proxy.passed
        manifest.unlink()
        for chance in counting.trials(30 if how == "cut" else 5, 5 if how == "cut" else 1):
            proxy.wait_for(chance.randrange(size), proxy.cut if how == "cut" else stall)
            has_landed = _extract_through(proxy, counting, home, monkeypatch)
            failed += not has_landed
            assert _hashes(landing, NEXT) == (wanted if has_landed else {}), counting
            assert _hashes(landing, DAY) == wanted, counting
            monkeypatch.setenv(SETTING, untouched.url)
            extract_source(SOURCES[NAME], NEXT, home)
            counting.converged((_hashes(landing, NEXT), has_landed or how == "cut"), (wanted, True))
            manifest.unlink()
    assert failed or how == "stalled"


def _restart(server: EmbeddedPostgres) -> None:
    """Restart a server at once, as after a power cut: it recovers from its log."""
    running = server._postmaster.find_process()
    os.kill(running, signal.SIGQUIT)
    while server._postmaster.find_process() == running:
        sleep(0.01)
    server.up()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that the test may restart."""
    server = EmbeddedPostgres(tmp_path / "own")
    server.up()
    yield server
    server.remove()


def test_postgres_restarts_in_the_middle(
    fault: Callable[[str], Fault], own_server: EmbeddedPostgres, worker: Worker, home: Home, landing: Landing,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Of an extract nothing has landed, a load leaves the old day or the new one; both can be repeated."""
    own_server.ensure_database("northwind")
    source = own_server.url("northwind")
    fill_northwind(source, scale=1)
    monkeypatch.setenv(SETTING, source)
    extract_source(SOURCES[NAME], DAY, home)
    counting, wanted = fault("Postgres restarted during an extract"), _hashes(landing, DAY)
    with proxied(source) as proxy:
        assert _extract_through(proxy, counting, home, monkeypatch)
        size = proxy.passed
        for chance in counting.trials(10, 1):
            (home.root / "landing" / "_manifests" / NAME / f"{NEXT}.json").unlink()
            proxy.wait_for(chance.randrange(size), lambda: _restart(own_server))
            has_landed = _extract_through(proxy, counting, home, monkeypatch)
            assert _hashes(landing, NEXT) == (wanted if has_landed else {}), counting
            assert _hashes(landing, DAY) == wanted, counting
            proxy.wait_for(None)
            assert _extract_through(proxy, counting, home, monkeypatch), counting
            counting.converged(_hashes(landing, NEXT), wanted)
    _restart_in_loads(fault("Postgres restarted during a load"), own_server, worker, tmp_path)


def _restart_in_loads(counting: Fault, server: EmbeddedPostgres, worker: Worker, folder: Path) -> None:
    server.ensure_database("warehouse")
    url = server.url("warehouse")
    small = Small(folder / "small", worker, warehouse_settings(Database(url)) | {"URL": url}, "postgres")
    small.folder.mkdir()
    with proxied(url, counts_sent=True) as proxy:
        small.settings["TRADEWINDS_POSTGRES_PORT"] = str(proxy.port)
        assert small.do(0) == small.do(1) == 0
        assert small.do(0, steps="load") == 0
        proxy.wait_for(None)
        assert small.do(0, lines=2) == 0
        size, now = proxy.passed, 2
        for chance in counting.trials(10, 1):
            new = 2 - now
            assert small.do(0, lines=new, steps="extract") == 0
            proxy.wait_for(chance.randrange(size), lambda: _restart(server))
            small.do(0, lines=new, steps="load")
            proxy.wait_for(None)
            states = [small.expected({0: new, 1: 1}, {0: one, 1: 1}) for one in (now, new)]
            counting.seen(small.state(), *states)
            assert small.do(0, lines=new, steps="load") == 0, counting
            now = new
            counting.converged(small.state(), small.expected({0: new, 1: 1}, {0: new, 1: 1}))


def test_odd_values_come_through(server: EmbeddedPostgres, untouched: Database, home: Home) -> None:
    """An emoji, a megabyte of text and all bytes are in raw as they are in the database; no text has a NUL."""
    untouched.execute("alter table shippers alter company_name type text, add picture bytea")
    everything = bytes(range(256)) * 16
    with psycopg.connect(untouched.url) as connection:
        add = "insert into shippers (shipper_id, company_name, picture) values (%s, %s, %s)"
        texts = {101: "💥 \u202e\u0301 'a\"", 102: "x" * 2**20 + "é", 103: "\x01\x1b[2J\t\\N\r\n"}
        for number, text in texts.items():
            connection.execute(add, [number, text, everything])
        with pytest.raises(psycopg.DataError, match="NUL"):
            connection.execute(add, [104, "a\0b", None])
    extract_source(SOURCES[NAME], NEXT, home)
    load_sources([SOURCES[NAME]], NEXT, home, open_warehouse("duckdb", home))
    found = _raw(home, "select shipper_id, company_name, picture from {0}shippers", NEXT)
    assert {number: (text, data) for number, text, data in found if number > 100} == {
        number: (text, everything) for number, text in texts.items()
    }
