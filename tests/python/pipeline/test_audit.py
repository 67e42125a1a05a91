"""Readers keep the last published version, byte for byte, whatever goes wrong on a day."""

import hashlib
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import duckdb
import psycopg
import pytest

from pipeline.checks.suites import Stage, read_suites
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY as DAY
from tests.python.sandbox import NEXT_DAY, Sandbox


class Side:
    """One target of a sandbox: its commands, what its readers see, and its build side."""

    def __init__(self, sandbox: Sandbox, target: str):
        self.sandbox = sandbox
        self.target = target
        self._words = ("--target", target)

    def succeed(self, *words: str) -> str:
        return self.sandbox.succeed(*words, *self._words)

    def fail(self, exit_code: int, *words: str) -> str:
        return self.sandbox.fail(exit_code, *words, *self._words)

    def extract(self, run_date: str, source: str) -> None:
        self.succeed("extract", "--run-date", run_date, "--source", source)

    def fingerprint(self) -> str:
        """Return the SHA-256 of the published file; on Postgres of every row that readers see."""
        if self.target == "duckdb":
            return hashlib.sha256((self.sandbox.home / "published" / "tradewinds.duckdb").read_bytes()).hexdigest()
        query = "select schemaname || '.' || tablename from pg_tables where schemaname in ('sales', 'snapshots')"
        with psycopg.connect(self.sandbox.warehouse.url) as connection:
            rows = [
                connection.execute(f"select line::text from {table} as line order by 1").fetchall()
                for (table,) in sorted(connection.execute(query).fetchall())
            ]
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def change_built(self, statement: str) -> None:
        """Change the marts that dbt has built, behind everybody's back."""
        if self.target == "duckdb":
            with duckdb.connect(str(self.sandbox.home / "warehouse" / "tradewinds.duckdb")) as connection:
                connection.execute(statement.format(sales="sales"))
        else:
            self.sandbox.warehouse.execute(statement.format(sales="sales__build"))


@pytest.fixture(params=["duckdb", "postgres"])
def side(built_homes: BuiltHomes, tmp_path: Path, request: pytest.FixtureRequest) -> Side:
    """A home in which the first day was run, and the second one has landed."""
    return Side(built_homes.copy(tmp_path, request.param, with_next_day=True), request.param)


def test_what_goes_wrong_stays_away_from_readers(side: Side) -> None:
    first = side.fingerprint()
    good = side.sandbox.order_details.read_text()
    ledger = side.sandbox.home / "runs" / NEXT_DAY

    # An expectation of what arrives is broken: half of the lines are gone.
    lines = good.splitlines()
    side.sandbox.order_details.write_text("\n".join(lines[: len(lines) // 2]) + "\n")
    side.extract(NEXT_DAY, "order_details")
    line = side.fail(1, "run", "--run-date", NEXT_DAY)
    assert line.startswith(f"tradewinds: check arrivals {NEXT_DAY} failed: ")
    for named in ("raw_northwind.order_details", "2155", "1077", "--accept-shrink"):
        assert named in line.replace(",", "")
    assert side.fingerprint() == first
    assert "the loaded rows failed their check" in side.fail(3, "build", "--run-date", NEXT_DAY)
    side.succeed("check", "--run-date", NEXT_DAY, "--stage", "arrivals", "--accept-shrink")
    assert json.loads((ledger / "check_arrivals.json").read_text())["accepted"] == ["shrink"]
    assert "done*" in side.sandbox.succeed("status")

    # A line comes twice: a dbt test is broken, or, on Postgres, already the table's primary key.
    side.sandbox.order_details.write_text(good + lines[-1] + "\n")
    side.extract(NEXT_DAY, "order_details")
    words = ("--run-date", NEXT_DAY, "--source", "order_details")
    side.succeed("load", *words)
    line = side.fail(1, "build", *words)
    assert line.startswith(f"tradewinds: build {NEXT_DAY} failed: ")
    assert side.target != "duckdb" or re.search(r"(: |\n  )test .*order_details", line)
    assert line.endswith(f"run: tradewinds build {' '.join(words)}{_target(side)}")
    assert "the last build failed" in side.fail(3, "publish", "--run-date", NEXT_DAY)
    assert not (side.sandbox.home / "exports" / NEXT_DAY).exists()
    status = side.sandbox.run("status", "--run-date", NEXT_DAY)
    assert status.returncode == 1
    assert "refused" in status.stdout
    assert side.fingerprint() == first

    # The power goes off in the middle of the build.
    side.sandbox.order_details.write_text("\n".join(lines[:-1]) + "\n")
    side.extract(NEXT_DAY, "order_details")
    side.succeed("load", "--run-date", NEXT_DAY)
    process = side.sandbox.start("build", "--run-date", NEXT_DAY, "--target", side.target)
    _read_until(process.stdout, "fct_orders")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert side.fingerprint() == first
    assert "the last build was cut off" in side.fail(3, "publish", "--run-date", NEXT_DAY)

    # What a publish would change is said, and nothing done.
    side.succeed("build", "--run-date", NEXT_DAY)
    output = side.succeed("check", "--run-date", NEXT_DAY)
    for stage in Stage:
        met = sum(len(suite.checks) for suite in read_suites(stage))
        assert re.search(rf"^check +{stage} +{met} met, 0 not met\b", output, re.MULTILINE), output
    output = side.succeed("publish", "--run-date", NEXT_DAY, "--dry-run")
    (changed,) = (row for row in output.splitlines() if "sales.fct_order_lines" in row and row.startswith("change"))
    assert "1 removed" in changed
    assert "net_amount_usd" in changed
    assert side.fingerprint() == first
    assert not (side.sandbox.home / "exports" / NEXT_DAY).exists()
    assert json.loads((ledger / "publish.json").read_text())["state"] != "done"

    side.succeed("publish", "--run-date", NEXT_DAY)
    assert side.fingerprint() != first
    assert "1 removed" in json.loads((ledger / "publish.json").read_text())["changes"]["sales.fct_order_lines"]
    side.succeed("rollback")
    assert side.fingerprint() == first
    assert "none is kept" in side.fail(3, "rollback")


def test_marts_that_cannot_be_right_are_not_published(side: Side) -> None:
    """Nor those of another day, of older rows, or that nobody has checked."""
    first = side.fingerprint()
    side.change_built("update {sales}.fct_orders set net_amount_usd = 0, gross_amount_usd = 0")
    line = side.fail(1, "check", "--run-date", DAY)
    assert line.startswith(f"tradewinds: check marts {DAY} failed: ")
    assert "sales.fct_orders" in line
    assert line.endswith(f"run: tradewinds check --run-date {DAY}{_target(side)} --stage marts")
    assert "the last check of the marts failed" in side.fail(3, "publish", "--run-date", DAY)
    side.succeed("load", "--run-date", NEXT_DAY)
    assert f"the marts are those of {DAY}" in side.fail(3, "publish", "--run-date", NEXT_DAY)

    side.sandbox.northwind.execute("update orders set freight = freight + 1")
    side.extract(DAY, "northwind")
    side.succeed("load", "--run-date", DAY)
    assert "loaded again after the build" in side.fail(3, "publish", "--run-date", DAY)
    assert side.fingerprint() == first
    if side.target == "postgres":
        return  # what follows compares the ledger with the mark of the build, on both engines alike
    side.succeed("build", "--run-date", DAY)
    line = side.fail(3, "publish", "--run-date", DAY)
    assert "the marts have not been checked since they were built" in line
    assert line.endswith(f"run: tradewinds check --run-date {DAY}{_target(side)} --stage marts")
    assert side.fingerprint() == first
    # The marts' check comes with the arrivals' where that was left out.
    assert not arrivals_checked_anew(side)
    side.succeed("check", "--run-date", DAY)
    assert arrivals_checked_anew(side)
    side.succeed("publish", "--run-date", DAY)
    assert side.fingerprint() != first
    side.succeed("status", "--run-date", DAY)


def arrivals_checked_anew(side: Side) -> bool:
    """Say whether what arrived was checked after it was last loaded."""
    ledger = side.sandbox.home / "runs" / DAY
    return (ledger / "check_arrivals.json").stat().st_mtime_ns > (ledger / "load.json").stat().st_mtime_ns


def test_arrivals_loaded_after_their_check_are_checked_again(built: Sandbox) -> None:
    built.succeed("extract", "--run-date", DAY, "--source", "order_details")
    built.succeed("load", "--run-date", DAY)
    line = built.fail(3, "publish", "--run-date", DAY)
    assert "the loaded rows have not been checked since the load" in line
    assert "check    arrivals" in built.succeed("check", "--run-date", DAY, "--stage", "marts")
    built.succeed("publish", "--run-date", DAY)


def _target(side: Side) -> str:
    return "" if side.target == "duckdb" else f" --target {side.target}"


def _read_until(output: object, word: str) -> None:
    """Read lines until one has the word; fail when the output ends before."""
    readline: Callable[[], str] = output.readline
    while line := readline():
        if word in line:
            return
    pytest.fail(f"the command ended before {word}")
