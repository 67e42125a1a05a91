"""A backfill extracts the next day beside the steps of this one, and reports each day in its turn."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.python.built import BuiltHomes
from tests.python.sandbox import NEXT_DAY as DAY_2
from tests.python.sandbox import Sandbox

DAY_3 = "2021-01-03"
BOTH = ("backfill", "--from", DAY_2, "--to", DAY_3)
STEPS = "load check_arrivals build check_marts publish"


@pytest.fixture
def sandbox(built_homes: BuiltHomes, tmp_path: Path) -> Sandbox:
    """A home in which day 1 was run, and day 2 has landed."""
    return built_homes.copy(tmp_path, with_next_day=True)


def _entry(sandbox: Sandbox, run_date: str, step: str) -> dict:
    return json.loads((sandbox.home / "runs" / run_date / f"{step}.json").read_text())


def test_a_day_ends_well_although_the_next_ones_extract_failed_meanwhile(sandbox: Sandbox) -> None:
    lines = sandbox.order_details.read_text()
    sandbox.order_details.write_text(lines.replace("order_id", "number", 1))
    done = sandbox.run(*BOTH)
    assert done.returncode == 1
    (failure,) = done.stderr.splitlines()
    assert failure.startswith(f"tradewinds: extract {DAY_3} failed: order_details")
    assert failure.endswith(f"; run: tradewinds extract --run-date {DAY_3} --source order_details")
    assert _entry(sandbox, DAY_3, "extract")["started"] < _entry(sandbox, DAY_2, "build")["started"]
    # Each day is reported in its turn.
    first, _, second = done.stdout.partition(f"{DAY_3}  extract {STEPS}\n")
    assert first.startswith(f"{DAY_2}  {STEPS}\n")
    assert "publish  marts" in first
    assert "extract" not in first
    assert "northwind.orders" in second
    counted = "(select count(*) from sales.fct_orders)"
    assert sandbox.published(f"select run_date::varchar, {counted} from published_version") == [(DAY_2, 830)]
    # The next backfill reads only what failed.
    assert sandbox.succeed(*BOTH, "--dry-run") == f"{DAY_2}  complete\n{DAY_3}  extract {STEPS}\n"
    assert {source: part["state"] for source, part in _entry(sandbox, DAY_3, "extract")["sources"].items()} == {
        "northwind": "done", "order_details": "failed", "event_log": "done", "people": "done", "community": "done",
    }  # fmt: skip


def test_a_day_that_fails_is_reported_when_the_next_ones_extract_has_ended(sandbox: Sandbox) -> None:
    """Day 2 has a damaged file, so its load fails while day 3's extract waits for a locked table."""
    orders = sandbox.manifest("northwind", DAY_2)["tables"]["orders"]["files"][0]["path"]
    damaged = sandbox.home / "landing" / orders
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\0")
    with psycopg.connect(sandbox.northwind.url) as holder:
        holder.execute("lock table region in access exclusive mode")
        process = sandbox.start(*BOTH)
        sandbox.northwind.wait_for_waiting()
        other = sandbox.fail(1, "extract", "--run-date", DAY_3, "--source", "northwind")
        assert "another process is extracting northwind for this day" in other
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 3, errors
    (failure,) = errors.splitlines()
    assert failure.startswith(f"tradewinds: load {DAY_2} refused: northwind")
    assert DAY_3 not in output
    assert sandbox.manifest("northwind", DAY_3)["tables"]["region"]["rows"] == 4
    assert sandbox.succeed(*BOTH, "--dry-run") == f"{DAY_2}  {STEPS}\n{DAY_3}  {STEPS}\n"
