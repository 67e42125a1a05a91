"""A command that is killed leaves the old state or the new one; the next command goes on from there."""

import hashlib
import shutil
import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests.python.conftest import Sandbox

DAY_1, DAY_2 = "2021-01-01", "2021-01-02"


def wait_until_blocked(sandbox: Sandbox, count: int = 1) -> None:
    """Wait until so many tables that a test has locked are waited for."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        waiting = sandbox.northwind.query("select count(*) from pg_locks where not granted")
        if waiting >= [(count,)]:
            return
        time.sleep(0.05)
    pytest.fail("the extract never came to the locked table")


def _landed_dates(sandbox: Sandbox, area: str) -> set[str]:
    return {
        path.parent.name
        for path in (sandbox.home / "landing" / area).rglob("*.parquet")
        if "run_date" in str(path.parent)
    }


def test_an_extract_killed_in_the_middle_leaves_nothing_and_the_next_day_is_right(sandbox: Sandbox) -> None:
    with psycopg.connect(sandbox.northwind.url) as holder:
        holder.execute("lock table region in access exclusive mode")
        process = sandbox.start("extract", "--run-date", DAY_1)
        wait_until_blocked(sandbox)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert _landed_dates(sandbox, "postgres") == set()
    assert "has not landed" in sandbox.fail(3, "load", "--run-date", DAY_1)
    status = sandbox.run("status", "--run-date", DAY_1)
    assert status.returncode == 1
    assert "interrupted" in status.stdout
    sandbox.northwind.execute("delete from orders where order_id = 10248")
    sandbox.succeed("extract", "--run-date", DAY_2)
    assert _landed_dates(sandbox, "postgres") == {f"run_date={DAY_2}"}
    assert sandbox.manifest("northwind", DAY_2)["tables"]["orders"]["rows"] == 829
    sandbox.succeed("extract", "--run-date", DAY_1)
    sandbox.succeed("load", "--run-date", DAY_1)
    assert sandbox.query("select _run_date::varchar, count(*) from raw_northwind.orders group by 1") == [(DAY_1, 829)]


def test_of_two_extracts_of_one_day_one_ends_at_once(sandbox: Sandbox) -> None:
    with psycopg.connect(sandbox.northwind.url) as holder:
        holder.execute("lock table region in access exclusive mode")
        first = sandbox.start("extract", "--run-date", DAY_1, "--source", "northwind")
        wait_until_blocked(sandbox)
        line = sandbox.fail(1, "extract", "--run-date", DAY_1, "--source", "northwind")
        assert "another process is extracting northwind for this day" in line
        # Another day, or another source, is nobody's business.
        others = [word for name in ("order_details", "event_log", "people", "community") for word in ("--source", name)]
        sandbox.succeed("extract", "--run-date", DAY_1, *others)
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 0, errors
    sandbox.succeed("load", "--run-date", DAY_1)
    assert sandbox.query("select count(*) from raw_northwind.orders") == [(830,)]
    files = list((sandbox.home / "landing" / "postgres" / "orders").rglob("*.parquet"))
    assert len(files) == 1


def test_a_run_killed_at_any_moment_converges(sandbox: Sandbox, tmp_path: Path) -> None:
    """Kill runs of a second day at moments spread over the whole run; readers keep the first day until it is done."""
    sandbox.succeed("run", "--run-date", DAY_1)
    published = sandbox.home / "published" / "tradewinds.duckdb"
    first = hashlib.sha256(published.read_bytes()).hexdigest()
    sandbox.northwind.execute("update orders set freight = freight + 1")
    untouched = Sandbox(tmp_path / "untouched", sandbox.settings)
    shutil.copytree(sandbox.home, untouched.home)
    started = time.monotonic()
    untouched.succeed("run", "--run-date", DAY_2)
    length = time.monotonic() - started
    for share in (0.3, 0.6, 0.85):
        process = sandbox.start("run", "--run-date", DAY_2)
        time.sleep(length * share)
        process.kill()
        process.communicate()
        is_first = hashlib.sha256(published.read_bytes()).hexdigest() == first
        expected = DAY_1 if is_first else DAY_2
        assert sandbox.published("select run_date::varchar from published_version") == [(expected,)]
    sandbox.succeed("run", "--run-date", DAY_2)
    for table in ("fct_orders", "fct_order_lines", "orders_with_details"):
        query = (
            f"select count(*), md5(string_agg(line::varchar, ',' order by line::varchar)) from sales.{table} as line"
        )
        assert sandbox.published(query) == untouched.published(query)
    assert _files_of(sandbox, "exports") == _files_of(untouched, "exports")
    sandbox.succeed("status", "--run-date", DAY_2)


def _files_of(sandbox: Sandbox, folder: str) -> dict[str, bytes]:
    root = sandbox.home / folder
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
