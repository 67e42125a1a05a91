"""Six days of a changing source, landed once, for tests that build them in many orders."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from ingestion.settings import Home
from pipeline.dbt.project import published_marts
from pipeline.run import steps
from pipeline.run.reporter import Reporter
from pipeline.run.request import Request
from tests.python.sandbox import Database, Sandbox, warehouse_settings

_ALL = ("resource_type:model", "resource_type:snapshot")
HISTORY = ("tag:history,resource_type:model", "resource_type:snapshot")

# Orders of days that are tried. Asked for more than one, every source and mart takes part; otherwise those that history
# is kept of, and what stands on them.
PERMUTATIONS = int(os.environ.get("TRADEWINDS_PERMUTATIONS", "1"))
SOURCES = ("northwind", "order_details") if PERMUTATIONS == 1 else ()

DAYS = [f"2021-03-0{day}" for day in range(1, 7)]

# What happens before each day: a change, its way back (A → B → A), a deletion, a return, a new row, nothing.
CHANGES: dict[str, list[str]] = {
    DAYS[0]: [],
    DAYS[1]: [
        "update customers set company_name = 'B' where customer_id = (select min(customer_id) from customers)",
        "update suppliers set phone = null where supplier_id < 5",
        "update employees set title = 'On leave', photo = '\\x00ff' where employee_id = 3",
    ],
    DAYS[2]: [
        "update customers set company_name = 'A' where customer_id = (select min(customer_id) from customers)",
        "alter table products disable trigger all",
        "create schema aside",
        "create table aside.gone as select * from products where product_id in (1, 77)",
        "delete from products where product_id in (1, 77)",
    ],
    DAYS[3]: [],
    DAYS[4]: [
        "insert into products select * from aside.gone where product_id = 1",
        "update customers set company_name = 'B' where customer_id = (select min(customer_id) from customers)",
        "insert into customers (customer_id, company_name) values ('ZZZZZ', 'New')",
        "update orders set freight = freight + 1 where order_id % 3 = 0",
    ],
    DAYS[5]: [
        "insert into products select * from aside.gone where product_id = 77",
        "delete from customers where customer_id = 'ZZZZZ'",
        "update employees set title = 'Back' where employee_id = 3",
    ],
}


def land_days(sandbox: Sandbox) -> None:
    """Change the source and extract it, day by day."""
    named = [word for source in SOURCES for word in ("--source", source)]
    for day, changes in CHANGES.items():
        _change(sandbox.northwind, changes)
        sandbox.succeed("extract", "--run-date", day, "--accept-drift", *named)


def _change(database: Database, changes: list[str]) -> None:
    for change in changes:
        database.execute(change)


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
    nodes = request.dbt.nodes_of_sources(SOURCES) if SOURCES else list(_ALL)
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
        with request.warehouse.reading(relation, []) as batches:
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
