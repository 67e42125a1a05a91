"""Nothing unproven is read: whatever goes wrong on a day, readers keep the last version, to the last byte."""

import hashlib
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb
import psycopg
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from tests.python.conftest import Sandbox

DAY_1, DAY_2 = "2021-01-01", "2021-01-02"


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

    def fingerprint(self) -> str:
        """Return the SHA-256 of the published file; on Postgres of every row that readers see."""
        if self.target == "duckdb":
            return hashlib.sha256((self.sandbox.home / "published" / "tradewinds.duckdb").read_bytes()).hexdigest()
        with self._connected() as connection:
            query = "select schemaname || '.' || tablename from pg_tables where schemaname in ('sales', 'snapshots')"
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
            with self._connected() as connection:
                connection.execute(statement.format(sales="sales__build"))

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        embedded = EmbeddedPostgres(self.sandbox.home)
        with embedded.running(), psycopg.connect(embedded.url("tradewinds")) as connection:
            yield connection


@pytest.fixture(params=["duckdb", "postgres"])
def side(sandbox: Sandbox, request: pytest.FixtureRequest) -> Side:
    return Side(sandbox, request.param)


def test_what_goes_wrong_stays_away_from_readers(side: Side) -> None:
    side.succeed("run", "--run-date", DAY_1)
    first = side.fingerprint()
    good = side.sandbox.order_details.read_text()
    ledger = side.sandbox.home / "runs" / DAY_2

    # An expectation of what arrives is broken: half of the lines are gone.
    lines = good.splitlines()
    side.sandbox.order_details.write_text("\n".join(lines[: len(lines) // 2]) + "\n")
    line = side.fail(1, "run", "--run-date", DAY_2)
    assert line.startswith(f"tradewinds: check arrivals {DAY_2} failed: ")
    for named in ("raw_northwind.order_details", "2155", "1077", "--accept-shrink"):
        assert named in line.replace(",", "")
    assert side.fingerprint() == first
    assert "what arrived has failed its check" in side.fail(3, "build", "--run-date", DAY_2)
    side.succeed("check", "--run-date", DAY_2, "--stage", "arrivals", "--accept-shrink")
    assert json.loads((ledger / "check_arrivals.json").read_text())["accepted"] == ["shrink"]
    assert "done*" in side.sandbox.succeed("status")

    # A line comes twice: a dbt test is broken, or, on Postgres, already the table's primary key.
    side.sandbox.order_details.write_text(good + lines[-1] + "\n")
    assert f"build {DAY_2} failed: " in side.fail(1, "run", "--run-date", DAY_2, "--refresh")
    assert side.fingerprint() == first

    # The power goes off in the middle of the build.
    side.sandbox.order_details.write_text("\n".join(lines[:-1]) + "\n")
    process = side.sandbox.start("run", "--run-date", DAY_2, "--refresh", "--target", side.target)
    _read_until(process.stdout, "fct_orders")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert side.fingerprint() == first
    assert "the last build was cut off" in side.fail(3, "publish", "--run-date", DAY_2)

    # What a publish would change is said, and nothing done.
    output = side.succeed("run", "--run-date", DAY_2, "--dry-run")
    (changed,) = (row for row in output.splitlines() if "sales.fct_order_lines" in row and row.startswith("change"))
    assert "1 removed" in changed
    assert "net_amount_usd" in changed
    assert side.fingerprint() == first
    assert not (side.sandbox.home / "exports" / DAY_2).exists()
    assert (
        not (ledger / "publish.json").exists() or json.loads((ledger / "publish.json").read_text())["state"] != "done"
    )

    side.succeed("publish", "--run-date", DAY_2)
    assert side.fingerprint() != first
    assert "1 removed" in json.loads((ledger / "publish.json").read_text())["changes"]["sales.fct_order_lines"]
    side.succeed("rollback")
    assert side.fingerprint() == first
    assert "none is kept" in side.fail(3, "rollback")


def test_marts_that_cannot_be_right_are_not_published(side: Side) -> None:
    side.succeed("run", "--run-date", DAY_1)
    first = side.fingerprint()
    side.sandbox.northwind.execute("update orders set freight = freight + 1")
    for step in (["extract"], ["load"], ["check", "--stage", "arrivals"], ["build"]):
        side.succeed(step[0], "--run-date", DAY_2, *step[1:])
    side.change_built("update {sales}.fct_orders set net_amount_usd = 0, gross_amount_usd = 0")
    line = side.fail(1, "check", "--run-date", DAY_2)
    assert line.startswith(f"tradewinds: check marts {DAY_2} failed: ")
    assert "sales.fct_orders" in line
    assert line.endswith(f"run: tradewinds check --run-date {DAY_2}{_target(side)} --stage marts")
    assert "the marts' last check is failed" in side.fail(3, "publish", "--run-date", DAY_2)
    assert side.fingerprint() == first
    # A check of other marts proves nothing of these.
    side.succeed("build", "--run-date", DAY_2)
    assert "have not been checked since they were built" in side.fail(3, "publish", "--run-date", DAY_2)
    side.succeed("check", "--run-date", DAY_2)
    side.succeed("publish", "--run-date", DAY_2)
    assert side.fingerprint() != first


def test_arrivals_loaded_after_their_check_are_checked_again(sandbox: Sandbox) -> None:
    sandbox.succeed("run", "--run-date", DAY_1)
    sandbox.succeed("extract", "--run-date", DAY_1, "--source", "order_details")
    sandbox.succeed("load", "--run-date", DAY_1)
    line = sandbox.fail(3, "publish", "--run-date", DAY_1)
    assert "what arrived has not been checked since it was loaded" in line
    assert "expectations" in sandbox.succeed("check", "--run-date", DAY_1, "--stage", "marts")
    sandbox.succeed("publish", "--run-date", DAY_1)


def _target(side: Side) -> str:
    return "" if side.target == "duckdb" else f" --target {side.target}"


def _read_until(output: object, word: str) -> None:
    """Read lines until one has the word; fail when the output ends before."""
    readline: Callable[[], str] = output.readline
    while line := readline():
        if word in line:
            return
    pytest.fail(f"the command ended before {word}")
