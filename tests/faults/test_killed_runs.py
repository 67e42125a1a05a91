"""A killed command leaves the old state or the new one; the next command continues."""

import hashlib
import shutil
import signal
import time
from pathlib import Path

import psycopg

from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY as DAY_1
from tests.python.sandbox import NEXT_DAY as DAY_2
from tests.python.sandbox import Sandbox

NORTHWIND = ("--source", "northwind")
# Runs that are killed, one after the other, each later than the one before; test_killed_in_each_step has more.
KILLS = 2


def _landed_dates(sandbox: Sandbox) -> set[str]:
    return {
        path.parent.name for path in (sandbox.home / "landing").rglob("*.parquet") if "run_date" in str(path.parent)
    }


def test_an_extract_killed_in_the_middle_leaves_nothing_and_the_next_day_is_right(sandbox: Sandbox) -> None:
    with psycopg.connect(sandbox.northwind.url) as holder:
        holder.execute("lock table region in access exclusive mode")
        process = sandbox.start("extract", *NORTHWIND, "--run-date", DAY_1)
        sandbox.northwind.wait_for_waiting()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert _landed_dates(sandbox) == set()
    assert "northwind has not landed" in sandbox.fail(3, "load", "--run-date", DAY_1)
    status = sandbox.run("status", "--run-date", DAY_1)
    assert status.returncode == 1
    assert "interrupted" in status.stdout
    sandbox.northwind.execute("delete from orders where order_id = 10248")
    sandbox.succeed("extract", *NORTHWIND, "--run-date", DAY_2)
    assert _landed_dates(sandbox) == {f"run_date={DAY_2}"}
    assert sandbox.manifest("northwind", DAY_2)["tables"]["orders"]["rows"] == 829
    sandbox.succeed("extract", *NORTHWIND, "--run-date", DAY_1)
    sandbox.succeed("load", *NORTHWIND, "--run-date", DAY_1)
    assert sandbox.query("select _run_date::varchar, count(*) from raw_northwind.orders group by 1") == [(DAY_1, 829)]


def test_of_two_extracts_of_one_day_one_ends_at_once(sandbox: Sandbox) -> None:
    with psycopg.connect(sandbox.northwind.url) as holder:
        holder.execute("lock table region in access exclusive mode")
        first = sandbox.start("extract", *NORTHWIND, "--run-date", DAY_1)
        sandbox.northwind.wait_for_waiting()
        line = sandbox.fail(1, "extract", *NORTHWIND, "--run-date", DAY_1)
        assert "another process is extracting northwind for this day" in line
        # Another day, or another source, is nobody's business.
        sandbox.succeed("extract", "--run-date", DAY_1, "--source", "order_details")
        sandbox.succeed("extract", "--run-date", DAY_2, *NORTHWIND, "--table", "orders")
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 0, errors
    sandbox.succeed("load", *NORTHWIND, "--run-date", DAY_1)
    assert sandbox.query("select count(*) from raw_northwind.orders") == [(830,)]
    files = list((sandbox.home / "landing" / "postgres" / "orders" / f"run_date={DAY_1}").rglob("*.parquet"))
    assert len(files) == 1


def test_a_run_killed_at_any_moment_converges(built_homes: BuiltHomes, tmp_path: Path) -> None:
    """Kill runs of a second day at moments spread over the whole run; readers keep the first day until it is done.

    The run's history has every landed day, loaded or not: here the day before has landed only.
    """
    built = built_homes.copy_changed(tmp_path / "killed", is_run=False)
    untouched = built_homes.copy_changed(tmp_path / "untouched")
    steps = [path.stat().st_mtime for path in (untouched.home / "runs" / DAY_2).glob("*.json")]
    length = max(steps) - min(steps)
    shutil.rmtree(built.home / "warehouse")
    published = built.home / "published" / "tradewinds.duckdb"
    first = hashlib.sha256(published.read_bytes()).hexdigest()
    for number in range(KILLS):
        process = built.start("run", "--run-date", DAY_2)
        time.sleep(length * (number + 1) / (KILLS + 1))
        process.kill()
        process.communicate()
        is_first = hashlib.sha256(published.read_bytes()).hexdigest() == first
        expected = DAY_1 if is_first else DAY_2
        assert built.published("select run_date::varchar from published_version") == [(expected,)]
    built.succeed("run", "--run-date", DAY_2)
    for table in ("fct_orders", "fct_order_lines", "orders_with_details"):
        query = (
            f"select count(*), md5(string_agg(line::varchar, ',' order by line::varchar)) from sales.{table} as line"
        )
        assert built.published(query) == untouched.published(query)
    assert _files_of(built, "exports") == _files_of(untouched, "exports")
    built.succeed("status", "--run-date", DAY_2)
    counted = "select dbt_valid_from::date::varchar, count(*) from snapshots.customers_snapshot group by 1 order by 1"
    assert built.published(counted) == untouched.published(counted) == [(DAY_1, 91), (DAY_2, 1)]
    assert "history is raw on 2 days" in built.succeed("verify", "--history")


def _files_of(sandbox: Sandbox, folder: str) -> dict[str, bytes]:
    root = sandbox.home / folder
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
