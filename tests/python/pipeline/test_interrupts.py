"""An interrupted or killed day leaves no process, and its next run succeeds."""

import json
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from tests.python.built import BuiltHomes
from tests.python.sandbox import NEXT_DAY, Sandbox

DAY = "2021-01-01"
# Two seconds where nothing else is at work.
PATIENCE_SECONDS = 10


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """A fresh home whose commands are processes of their own from the start, and start workers of their own."""
    sandbox.by_script = True
    return sandbox


def _processes_of(home: Path) -> list[str]:
    """Return what runs for a home, by its environment, each as it was started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            words = (process / "cmdline").read_bytes()
        except OSError:  # ended meanwhile, or another's
            continue
        if f"TRADEWINDS_HOME={home}".encode() in environment and words:
            found.append(words.replace(b"\0", b" ").decode())
    return found


def _wait_for(sandbox: Sandbox, process: subprocess.Popen[str], step: str, run_date: str = DAY) -> None:
    """Wait until a step runs."""
    path, deadline = sandbox.home / "runs" / run_date / f"{step}.json", time.monotonic() + 240
    while not path.exists() or json.loads(path.read_text())["state"] != "running":
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _end(sandbox: Sandbox, process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to a running command, and see that it and all that it has started are gone soon, with one line."""
    assert len(_processes_of(sandbox.home)) > 1
    sent = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - sent < PATIENCE_SECONDS
    codes = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
    assert process.returncode == codes[number], errors
    assert errors == ("tradewinds: interrupted\n" if number == signal.SIGINT else "")
    while left := _processes_of(sandbox.home):
        assert time.monotonic() - sent < PATIENCE_SECONDS, left
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_extracts_that_are_cut_off_leave_nothing(sandbox: Sandbox, number: signal.Signals) -> None:
    """Both sources that are read first wait for a locked table: one in the command's process, one in its worker's."""
    words = ("extract", "--run-date", DAY, "--source", "northwind", "--source", "people")
    with psycopg.connect(sandbox.northwind.url) as one, psycopg.connect(sandbox.people.url) as other:
        one.execute("lock table region in access exclusive mode")
        other.execute("lock table jobs in access exclusive mode")
        process = sandbox.start(*words)
        for database in (sandbox.northwind, sandbox.people):
            database.wait_for_waiting()
        _end(sandbox, process, number)
    landing = sandbox.home / "landing"
    assert not [file for file in landing.rglob("*.parquet") if "_work" not in file.parts]
    sandbox.by_script = False
    sandbox.succeed(*words)
    assert not list((landing / "_work").rglob("*.parquet"))


def test_a_day_that_is_cut_off_leaves_nothing_and_goes_well_next_time(sandbox: Sandbox) -> None:
    for step, number in {
        "build": signal.SIGINT,
        "check_arrivals": signal.SIGTERM,
        "check_marts": signal.SIGKILL,
    }.items():
        process = sandbox.start("run", "--run-date", DAY)
        _wait_for(sandbox, process, step)
        time.sleep(0.5)
        _end(sandbox, process, number)
    sandbox.by_script = False
    sandbox.succeed("run", "--run-date", DAY)
    assert sandbox.published("select count(*), sum(net_amount_usd) from sales.fct_orders")[0][0] == 830


def test_a_backfill_that_is_cut_off_leaves_nothing(built_homes: BuiltHomes, tmp_path: Path) -> None:
    """The next day's extract waits for a locked table; the first time this day is being built, too."""
    sandbox = built_homes.copy(tmp_path, with_next_day=True)
    sandbox.by_script = True
    words = ("backfill", "--from", NEXT_DAY, "--to", "2021-01-03")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with psycopg.connect(sandbox.northwind.url) as holder:
            holder.execute("lock table region in access exclusive mode")
            process = sandbox.start(*words)
            sandbox.northwind.wait_for_waiting()
            if number == signal.SIGINT:
                _wait_for(sandbox, process, "build", NEXT_DAY)
            _end(sandbox, process, number)
    sandbox.by_script = False
    steps = "load check_arrivals build check_marts publish"
    assert sandbox.succeed(*words, "--dry-run") == f"{NEXT_DAY}  {steps}\n2021-01-03  extract {steps}\n"
