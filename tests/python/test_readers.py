"""Readers, who know nothing of runs, see one whole version with every answer, whatever is published meanwhile."""

import multiprocessing
import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event

import duckdb
import psycopg
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from tests.python.conftest import Sandbox

# Full runs, each of another day with other data; the readers ask at least a thousand times a run.
_RUNS = int(os.environ.get("TRADEWINDS_READER_RUNS", "1"))
_READERS = 2
# Leaves the runs a share of the machine.
_PAUSE_SECONDS = 0.01
_QUERY = """
select
    cast(published_version.run_date as varchar),
    (select count(*) from sales.fct_orders),
    (select sum(freight_usd) from sales.fct_orders),
    (select count(*) from sales.fct_order_lines),
    (select count(*) from sales.orders_with_details),
    (select count(*) from marketplace.availability_snapshot),
    (select count(*) from snapshots.customers_snapshot)
from {version}
"""


def _ask_duckdb(place: str) -> Callable[[], tuple]:
    """Open the file anew for every answer, as short-lived clients do."""

    def ask() -> tuple:
        with duckdb.connect(place, read_only=True) as connection:
            return connection.execute(_QUERY.format(version="published_version")).fetchone()

    return ask


def _ask_postgres(place: str) -> Callable[[], tuple]:
    """Keep one connection, as a BI tool does."""
    connection = psycopg.connect(place, autocommit=True)
    return lambda: connection.execute(_QUERY.format(version="public.published_version")).fetchone()


def _read(engine: str, place: str, stop: Event, answers: Queue) -> None:
    """Ask until told to stop; hand back how often, the distinct answers, and what went wrong."""
    ask = {"duckdb": _ask_duckdb, "postgres": _ask_postgres}[engine](place)
    seen, count, errors = set(), 0, []
    while not stop.is_set():
        try:
            seen.add(ask())
            count += 1
            time.sleep(_PAUSE_SECONDS)
        except Exception as error:
            errors.append(repr(error))
    answers.put((count, seen, errors))


@pytest.mark.parametrize("target", ["duckdb", "postgres"])
def test_every_answer_is_of_one_whole_version(sandbox: Sandbox, target: str) -> None:
    first = date(2021, 1, 1)
    expected = {_run_changed_day(sandbox, str(first), target)}
    if target == "postgres":
        sandbox.succeed("sources", "up")
        place = EmbeddedPostgres(sandbox.home).url("tradewinds")
    else:
        place = str(sandbox.home / "published" / "tradewinds.duckdb")
    context = multiprocessing.get_context("spawn")
    stop, answers = context.Event(), context.Queue()
    readers = [context.Process(target=_read, args=(target, place, stop, answers)) for _ in range(_READERS)]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, _RUNS + 1):
            expected.add(_run_changed_day(sandbox, str(first + timedelta(days=number)), target))
    finally:
        stop.set()
        found = [answers.get(timeout=60) for _ in readers]
        for reader in readers:
            reader.join()
        if target == "postgres":
            sandbox.succeed("sources", "down")
    assert [errors for _, _, errors in found] == [[]] * _READERS
    seen = {answer for _, answers_, _ in found for answer in answers_}
    assert seen <= expected
    assert len(seen) > 1, "no reader met a publish"
    assert sum(count for count, _, _ in found) >= 1000 * _RUNS


def _run_changed_day(sandbox: Sandbox, day: str, target: str) -> tuple:
    """Change every source, run the day, and return what its version must answer by the sources themselves."""
    sandbox.northwind.execute("update orders set freight = freight + 1 where order_id % 3 = 0")
    sandbox.northwind.execute("delete from orders where order_id = (select min(order_id) from orders)")
    sandbox.northwind.execute(
        f"update customers set phone = '{day}' where customer_id = (select min(customer_id) from customers)"
    )
    lines = sandbox.order_details.read_text().splitlines()
    sandbox.order_details.write_text("\n".join([*lines[:1], *lines[2:]]) + "\n")
    sandbox.succeed("run", "--run-date", day, "--target", target)
    (orders, freight), *_ = sandbox.northwind.query(
        "select count(*), sum(round(freight::text::numeric, 4)) from orders"
    )
    ((customers,),) = sandbox.northwind.query("select count(*) from customers")
    days_before = (date.fromisoformat(day) - date(2021, 1, 1)).days
    order_ids = {int(line.split(",")[0]) for line in lines[2:]}
    without_lines = [row for row in sandbox.northwind.query("select order_id from orders") if row[0] not in order_ids]
    return (
        day,
        orders,
        Decimal(freight),
        len(lines) - 2,
        len(lines) - 2 + len(without_lines),
        _sample_days(sandbox),
        customers + days_before,
    )


def _sample_days(sandbox: Sandbox) -> int:
    """Return the complete days of the sample's log, which no run changes."""
    (log,) = sandbox.home.glob("sources/**/event_log*.csv")
    query = "select max(created_at)::date - min(created_at)::date from read_csv(?, delim = ';')"
    return duckdb.execute(query, [str(log)]).fetchone()[0]
