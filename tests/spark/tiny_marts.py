"""Publish two tiny marts on Spark, again and again; run by .venv-spark's Python, whose one session all of it shares.

Without words it tells the whole story; with a day, an amount and a write it dies by -9 after that write of a publish.
"""

import os
import signal
import subprocess
import sys
from decimal import Decimal
from typing import Any

import duckdb

from ingestion.errors import BadRequest, Refused
from ingestion.settings import Home
from ingestion.warehouse import open_warehouse
from ingestion.warehouse.spark_session import joined_session
from pipeline.dbt.project import Mart
from pipeline.publishing import Publisher, Version, open_publisher
from pipeline.publishing.spark_tables import Tables

MARTS = [Mart("sales.lines", ("id",)), Mart("sales.orders", ("id",), ("amount",))]
WRITES = ("tag", "write", "point_to", "keep_only")


def build(day: str, *amounts: str | None) -> None:
    """Build both marts of a day; an order without an amount has NULL."""
    run = joined_session().sql
    for schema in ("sales", "raw_ops"):
        run(f"create schema if not exists {schema}")
    rows = ", ".join(f"({number}, cast({amount or 'null'} as decimal(19,4)))" for number, amount in enumerate(amounts))
    for table in ("lines", "orders"):
        run(
            f"create or replace table sales.{table} using iceberg as select * from values {rows} as listed (id, amount)"
        )
    mark = f"select date'{day}' as run_date, 'built' as state, 'x' as invocation_id"
    run(f"create or replace table raw_ops.build_mark using iceberg as {mark}")


def seen(publisher: Publisher) -> tuple[str, list[Any], list[Any]]:
    """Return what readers see: the version, and the amounts of both marts."""
    with publisher.reading() as (version, read):
        orders, lines = (read(mart).read_all().sort_by("id")["amount"].to_pylist() for mart in MARTS)
    return version.run_date, orders, lines


def asked(publisher: Publisher, query: str) -> list[tuple]:
    with publisher.answering(query) as answer:
        assert answer is not None
        return list(answer.rows)


def refused(kind: type[Exception], work: Any, *args: Any) -> str:
    try:
        work(*args)
    except kind as error:
        return str(error)
    raise AssertionError(f"{args} was not refused")


def tell(home: Home, publisher: Publisher) -> None:
    """Publish, compare, ask, roll back, tidy and die."""
    build("2021-01-01", "1", None)
    assert publisher.current() is None
    first, rows = publisher.publish("2021-01-01", MARTS)
    assert rows == {"sales.lines": 2, "sales.orders": 2}
    build("2021-01-02", "1", "5", "7")
    orders = publisher.changes(MARTS)[1]
    assert (orders.added, orders.removed, orders.changed) == (1, 0, 1), orders
    assert orders.totals == {"amount": (Decimal(1), Decimal(13))}
    assert seen(publisher)[0] == "2021-01-01", "a build is seen before it is published"
    assert asked(publisher, "select count(*) from sales.orders") == [(2,)]
    refused(Refused, publisher.publish, "2021-01-01", MARTS)
    second, _ = publisher.publish("2021-01-02", MARTS)
    assert publisher.publish("2021-01-02", MARTS)[0] == second
    both = "with few as (select * from sales.orders o where id < 2) select count(*), sum(amount) from few"
    assert asked(publisher, both) == [(2, Decimal(6))]
    columns = "select column_name from information_schema.columns where table_name = 'orders' order by ordinal_position"
    assert asked(publisher, columns) == [("id",), ("amount",)]
    for query in (
        "drop table sales.orders", "select 1; select 2", "select * from raw_ops.build_mark", "selec",
        "select nothing from sales.orders",
        "select reflect('java.lang.System', 'getenv')", "select * from parquet.`/etc`",
        "insert into sales.orders select * from sales.orders",
    ):  # fmt: skip
        refused(BadRequest, asked, publisher, query)
    found = publisher.read(MARTS[1], "id", 1)
    assert found is not None
    assert found.values == [(1, Decimal(5))]
    assert found.version == second
    for number, write in enumerate(WRITES):
        before, day = seen(publisher), f"2021-01-0{3 + number}"
        words = [sys.executable, __file__, day, str(10 + number), write]
        assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
        after = seen(publisher)
        new = (day, [Decimal(10 + number)] * 2, [Decimal(10 + number)] * 2)
        assert after == (new if write in ("point_to", "keep_only") else before), (write, after)
        assert publisher.publish(day, MARTS)[0].run_date == day
        assert seen(publisher) == new
    refused(Refused, publisher.rollback, "2021-01-09-000000000000")
    assert publisher.rollback().run_date == "2021-01-05"
    assert publisher.rollback(first.name) == first
    assert seen(publisher) == ("2021-01-01", [Decimal(1), None], [Decimal(1), None])
    refused(Refused, publisher.rollback)
    build("2021-01-07", "7", "7")
    publisher.publish("2021-01-07", MARTS)
    os.environ["TRADEWINDS_KEPT_VERSIONS"] = "1"
    assert publisher.tidy(dry_run=True) > 0
    publisher.tidy()
    assert publisher.tidy(dry_run=True) == 0
    assert refused(Refused, publisher.rollback)
    assert seen(publisher)[0] == "2021-01-07"
    assert publisher.current() == publish_on_duckdb(home)


def publish_on_duckdb(home: Home) -> Version:
    """Publish the same rows on DuckDB, and return the version."""
    rows = "select id::integer as id, 7::decimal(19, 4) as amount from range(2) as ids (id)"
    with duckdb.connect(str(home.warehouse / "tradewinds.duckdb")) as warehouse:
        for table in ("lines", "orders"):
            warehouse.execute(f"create schema if not exists sales; create table sales.{table} as {rows}")
    return open_publisher("duckdb", home).publish("2021-01-07", MARTS)[0]


def die(publisher: Publisher, day: str, amount: str, write: str) -> None:
    """Build and publish a day, and die after a write."""
    real = getattr(Tables, write)

    def writing(self: Tables, *what: Any) -> None:
        real(self, *what)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(Tables, write, writing)
    build(day, amount, amount)
    publisher.publish(day, MARTS)


if __name__ == "__main__":
    house = Home.from_environment()
    readers = open_publisher("spark", house)
    if len(sys.argv) > 1:
        die(readers, *sys.argv[1:])
    else:
        with open_warehouse("spark", house).serving():
            tell(house, readers)
