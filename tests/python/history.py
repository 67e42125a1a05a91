"""Six days of changing sources, which tests land and build in many orders."""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.samples.generate import write_event_log
from ingestion.settings import Home
from pipeline.dbt.project import published_marts
from pipeline.run import steps
from pipeline.run.reporter import Reporter
from pipeline.run.request import Request
from tests.python.homes import copy_database
from tests.python.sandbox import Database, Sandbox, warehouse_settings

ALL = ("resource_type:seed", "resource_type:model", "resource_type:snapshot")
HISTORY = ("tag:history,resource_type:model", "resource_type:snapshot")

# Orders of days that are tried. Asked for more than one, every source and mart takes part; otherwise those that history
# is kept of, and what stands on them.
PERMUTATIONS = int(os.environ.get("TRADEWINDS_PERMUTATIONS", "1"))
SOURCES = ("northwind", "order_details") if PERMUTATIONS == 1 else ()

DAYS = [f"2021-03-0{day}" for day in range(1, 7)]

# Only what changed is read of orders: those up to this far before the last one, and those after it.
CURSORS = {
    "SOURCES__NORTHWIND__TABLES__ORDERS__CURSOR": "order_id",
    "SOURCES__NORTHWIND__TABLES__ORDERS__KEY": '["order_id"]',
    "SOURCES__NORTHWIND__TABLES__ORDERS__LOOK_BACK": "20",
}

_COPY = (
    "insert into orders select (jsonb_populate_record(orders, jsonb_build_object('order_id', {0}))).* "
    "from orders where order_id = 11077"
)

# What happens before each day: a change, its way back (A → B → A), a deletion, a return, a new row, nothing. Of orders
# one is new, one changes late, one is corrected long afterwards, one is deleted.
CHANGES: dict[str, list[str]] = {
    DAYS[0]: [],
    DAYS[1]: [
        "update customers set company_name = 'B' where customer_id = (select min(customer_id) from customers)",
        "update suppliers set phone = null where supplier_id < 5",
        "update employees set title = 'On leave', photo = '\\x00ff' where employee_id = 3",
        _COPY.format(11078),
    ],
    DAYS[2]: [
        "update customers set company_name = 'A' where customer_id = (select min(customer_id) from customers)",
        "alter table products disable trigger all",
        "create schema aside",
        "create table aside.gone as select * from products where product_id in (1, 77)",
        "delete from products where product_id in (1, 77)",
        "update orders set ship_name = 'Late' where order_id = 11070",
    ],
    DAYS[3]: [],
    DAYS[4]: [
        "insert into products select * from aside.gone where product_id = 1",
        "update customers set company_name = 'B' where customer_id = (select min(customer_id) from customers)",
        "insert into customers (customer_id, company_name) values ('ZZZZZ', 'New')",
        "update orders set freight = freight + 1 where order_id % 3 = 0",
        _COPY.format(11079),
    ],
    DAYS[5]: [
        "insert into products select * from aside.gone where product_id = 77",
        "delete from customers where customer_id = 'ZZZZZ'",
        "update employees set title = 'Back' where employee_id = 3",
        "delete from orders where order_id = 10248",
    ],
}

# What is added to the order lines and to the event log; a line that can't be read lands as a reject.
_LINES = {
    DAYS[1]: ["11078,2,19,3,0.05"],
    DAYS[3]: ["11078,3,10,many,0"],
    DAYS[4]: ["11079,4,22,5,0", "11079,5,21.35,1,0"],
}
_EVENTS = {
    DAYS[2]: ["{0};created_account;7;2020-02-01 10:00:00;", "{0};created_account;"],
    DAYS[5]: ["{0};proposed;7;2020-02-02 10:00:00;5_schilder_painter_4.50"],
}

# The settings of the sources as they are on each day.
States = dict[str, dict[str, str]]


def make_states(server: EmbeddedPostgres, sandbox: Sandbox, folder: Path) -> States:
    """Change a sandbox's sources day by day, and keep what they are on each: a day can be extracted at any time."""
    write_event_log(events := folder / "events.csv", scale=1)
    states = {}
    for number, (day, changes) in enumerate(CHANGES.items()):
        for change in changes:
            sandbox.northwind.execute(change)
        states[day] = {
            "SOURCES__NORTHWIND__CREDENTIALS": copy_database(server, sandbox.northwind.url.rpartition("/")[2])
        }
        for name, path, lines in (("ORDER_DETAILS", sandbox.order_details, _LINES), ("EVENT_LOG", events, _EVENTS)):
            added = "".join(f"{line.format(9_000_000 + number)}\n" for line in lines.get(day, []))
            copy = folder / f"{day}-{path.name}"
            path.write_bytes(path.read_bytes() + added.encode())
            if day == DAYS[3]:  # rewritten: nothing but its first lines is as it was
                head, first, second, *rest = path.read_bytes().splitlines(keepends=True)
                path.write_bytes(b"".join([head, second, first, *rest]))
            copy.write_bytes(path.read_bytes())
            states[day][f"SOURCES__{name}__PATH"] = str(copy)
    return states


def extract_day(sandbox: Sandbox, states: States, day: str, kill_after: float | None = None) -> int:
    """Extract a day from its sources as they were, or kill the extract after so many seconds; return the exit code."""
    named = [word for source in SOURCES for word in ("--source", source)]
    at = replace(sandbox, settings=sandbox.settings | states[day])
    process = at.start("extract", "--run-date", day, "--accept-drift", "--accept-shrink", *named)
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    _, errors = process.communicate(timeout=900)
    assert kill_after is not None or process.returncode == 0, errors
    return process.returncode


@contextmanager
def requesting(
    landed: Sandbox, home: Path, warehouse: Database | None, sources: Sequence[str] = ()
) -> Iterator[Request]:
    """Hand out a request on a fresh home that shares the landed days, in this process; no warehouse is DuckDB."""
    settings = landed.settings | {"TRADEWINDS_LANDING_URL": str(landed.home / "landing")}
    target = "postgres" if warehouse else "duckdb"
    with patch.dict(os.environ, settings | (warehouse_settings(warehouse) if warehouse else {})):
        request = Request(home=Home(home), target=target, named_sources=list(sources), reporter=Reporter())
        with request.warehouse.serving():
            yield request


def build_in_order(request: Request, order: list[str], built: list[str]) -> str:
    """Load days as they come, build those in `built`, end with the last day; return the content's hash."""
    nodes = request.dbt.nodes_of_sources(SOURCES) if SOURCES else list(ALL)
    for day in order:
        steps.load(request, day)
        if day in built:
            # One whole build in between; of the others only what the next build stands on.
            build_day(request, day, *(nodes if day == built[0] else HISTORY))
    for day in set(DAYS) - set(order):
        steps.load(request, day)
    build_day(request, DAYS[-1], *nodes)
    return content_hash(request)


def content_hash(request: Request) -> str:
    """Return one hash of all rows that readers would see, whatever order and engine they are in."""
    nodes = request.dbt.nodes_of_sources(SOURCES) if SOURCES else []
    marts = [mart for mart in published_marts() if mart.place[0] != "ops"]
    digest = hashlib.sha256()
    for relation in (mart.relation for mart in marts if not SOURCES or mart.place[1] in nodes):
        with request.warehouse.reading(relation) as batches:
            rows = sorted(repr(sorted(row.items())) for row in batches.read_all().to_pylist())
        digest.update(f"{relation} {rows}".encode())
    return digest.hexdigest()


def build_day(request: Request, day: str, *select: str) -> None:
    """Bring history and marts to a day, without their tests: those have files of their own."""
    try:
        for gap in request.dbt.history_gaps(day):
            request.dbt.replay_history(gap)
        words = ["--indirect-selection", "empty"]
        request.dbt.build(day, select=[*select, *words], on_node=lambda name, status, seconds: None)
    finally:
        request.dbt.release()
