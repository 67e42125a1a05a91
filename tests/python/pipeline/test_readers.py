"""Readers see one whole version in every answer while others are published."""

import multiprocessing
import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from multiprocessing.queues import Queue
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import psycopg
import pytest

from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Sandbox

# Full runs beside the readers, each of another day with other data; they ask at least a thousand times a run.
_RUNS = int(os.environ.get("TRADEWINDS_READER_RUNS", "0"))
_READERS = 2
# Leaves what is published a share of the machine.
_PAUSE_SECONDS = 0.01 if _RUNS else 0.05
# A publish, a rollback and a publish come before all runs; the readers ask this often meanwhile, or a little longer.
_LEAST = 100
_PATIENCE_SECONDS = 60
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


def _read(engine: str, place: str, stop: Event, asked: Synchronized, answers: Queue) -> None:
    """Ask until told to stop; hand back the distinct answers, and what went wrong."""
    ask = {"duckdb": _ask_duckdb, "postgres": _ask_postgres}[engine](place)
    seen, errors = set(), []
    while not stop.is_set():
        try:
            seen.add(ask())
            with asked.get_lock():
                asked.value += 1
            time.sleep(_PAUSE_SECONDS)
        except Exception as error:
            errors.append(repr(error))
    answers.put((seen, errors))


@pytest.mark.parametrize("target", ["duckdb", "postgres"])
def test_every_answer_is_of_one_whole_version(built_homes: BuiltHomes, tmp_path: Path, target: str) -> None:
    if target == "duckdb":
        sandbox = built_homes.copy_changed(tmp_path)
        expected = {_answer(built_homes.original(), BUILT_DAY), _answer(sandbox, NEXT_DAY)}
        sandbox.succeed("rollback")
    else:
        sandbox = built_homes.copy(tmp_path, target, with_next_day=True)
        expected = {_answer(sandbox, BUILT_DAY), _run_changed_day(sandbox, NEXT_DAY, target, "--dry-run")}
    on_disk = str(sandbox.home / "published" / "tradewinds.duckdb")
    place = sandbox.warehouse.url if target == "postgres" else on_disk
    context = multiprocessing.get_context("spawn")
    stop, asked, answers = context.Event(), context.Value("q", 0), context.Queue()
    arguments = (target, place, stop, asked, answers)
    readers = [context.Process(target=_read, args=arguments) for _ in range(_READERS)]
    for reader in readers:
        reader.start()
    try:
        _wait_until(lambda: asked.value > 0)
        for verb in (["publish", "--run-date", NEXT_DAY], ["rollback"], ["publish", "--run-date", NEXT_DAY]):
            sandbox.succeed(*verb, "--target", target)
        _wait_until(lambda: asked.value >= _LEAST)
        for number in range(1, _RUNS + 1):
            day = date.fromisoformat(NEXT_DAY) + timedelta(days=number)
            expected.add(_run_changed_day(sandbox, str(day), target))
    finally:
        stop.set()
        found = [answers.get(timeout=60) for _ in readers]
        for reader in readers:
            reader.join()
    assert [errors for _, errors in found] == [[]] * _READERS
    seen = {answer for answers_, _ in found for answer in answers_}
    assert seen <= expected
    assert len(seen) > 1, "no reader met a publish"
    assert asked.value >= _LEAST + 1000 * _RUNS


def _wait_until(truth: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not truth() and time.monotonic() < deadline:
        time.sleep(0.1)


def _run_changed_day(sandbox: Sandbox, day: str, target: str, *options: str) -> tuple:
    """Change every source, run the day, and return what its version must answer by the sources themselves."""
    sandbox.northwind.execute("update orders set freight = freight + 1 where order_id % 3 = 0")
    sandbox.northwind.execute("delete from orders where order_id = (select min(order_id) from orders)")
    sandbox.northwind.execute(
        f"update customers set phone = '{day}' where customer_id = (select min(customer_id) from customers)"
    )
    lines = sandbox.order_details.read_text().splitlines()
    sandbox.order_details.write_text("\n".join([*lines[:1], *lines[2:]]) + "\n")
    sandbox.succeed("extract", "--run-date", day, "--source", "northwind", "--source", "order_details")
    sandbox.succeed("run", "--run-date", day, "--target", target, *options)
    return _answer(sandbox, day)


def _answer(sandbox: Sandbox, day: str) -> tuple:
    """Return what the version of a day must answer by the sources as they are now."""
    lines = sandbox.order_details.read_text().splitlines()[1:]
    (orders, freight), *_ = sandbox.northwind.query(
        "select count(*), sum(round(freight::text::numeric, 4)) from orders"
    )
    ((customers,),) = sandbox.northwind.query("select count(*) from customers")
    days_before = (date.fromisoformat(day) - date(2021, 1, 1)).days
    order_ids = {int(line.split(",")[0]) for line in lines}
    without_lines = [row for row in sandbox.northwind.query("select order_id from orders") if row[0] not in order_ids]
    return (
        day,
        orders,
        Decimal(freight),
        len(lines),
        len(lines) + len(without_lines),
        _sample_days(sandbox),
        customers + days_before,
    )


def _sample_days(sandbox: Sandbox) -> int:
    """Return the complete days of the sample's log, which no run changes."""
    (log,) = sandbox.home.glob("sources/**/event_log*.csv")
    query = "select max(created_at)::date - min(created_at)::date from read_csv(?, delim = ';')"
    return duckdb.execute(query, [str(log)]).fetchone()[0]
