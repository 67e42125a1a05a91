"""Whole runs, extracts and prunes, killed at any moment of a step: all is old or new, and the next command mends it."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from pipeline.ledger import STEPS
from tests.faults.processes import descendants, wait_until_gone
from tests.faults.trials import IS_WHOLE, Fault
from tests.faults.whole import Whole, files_of
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY as DAY_1
from tests.python.sandbox import NEXT_DAY as DAY_2
from tests.python.sandbox import Sandbox

pytestmark = pytest.mark.skipif(not IS_WHOLE, reason="takes half a minute a trial; test_killed_runs has two")


class Killed:
    """A home in which both days were run, undisturbed: what must come out, and how long each step takes."""

    def __init__(self, built: BuiltHomes, server: EmbeddedPostgres, folder: Path):
        self.made = Whole(built, server, folder, "duckdb")
        self.sandbox, began = self.made.copy(folder / "untouched"), time.time()
        self.sandbox.succeed("run", "--run-date", DAY_2)
        ended = [began, *((self.sandbox.home / "runs" / DAY_2 / f"{step}.json").stat().st_mtime for step in STEPS)]
        self._lengths = {step: end - start for step, start, end in zip(STEPS, ended[:-1], ended[1:], strict=True)}
        self.end = self.made.end(self.sandbox)
        self.versions = [self.made.published(self.made.sandbox), self.end[0]]

    def kill(self, sandbox: Sandbox, step: str, chance: Random) -> None:
        """Kill a run of the next day after a part of the time that a step takes, and wait for all it has started."""
        process = sandbox.start("run", "--run-date", DAY_2)
        while not (sandbox.home / "runs" / DAY_2 / f"{step}.json").exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, self._lengths[step]))
        kill(process, sandbox)


def kill(process: subprocess.Popen[str], sandbox: Sandbox) -> None:
    """Kill a command, and return once all that it has started is gone."""
    started = descendants(process.pid)
    process.kill()
    process.communicate()
    assert process.returncode in (0, -signal.SIGKILL)
    wait_until_gone(started, sandbox.home)


@pytest.fixture(scope="module")
def killed(built_homes: BuiltHomes, server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    return Killed(built_homes, server, tmp_path_factory.mktemp("killed"))


@pytest.mark.parametrize(
    ("target", "first"), [*(("duckdb", n) for n in range(0, 150, 25)), ("postgres", 0), ("postgres", 25)]
)
def test_a_run_killed_in_any_step(
    fault: Callable[[str], Fault], killed: Killed, built_homes: BuiltHomes, server: EmbeddedPostgres, tmp_path: Path,
    target: str, first: int,
) -> None:  # fmt: skip
    """Every step in turn: what landed, what is loaded, quarantine and what is published are old or new, and whole."""
    made = killed.made if target == "duckdb" else Whole(built_homes, server, tmp_path, target)
    counting = fault(f"kill -9 of a whole run at any moment, on {target}")
    for chance in counting.trials(25, 1, first):
        sandbox = made.copy(tmp_path / "copy")
        killed.kill(sandbox, STEPS[counting.trial % len(STEPS)], chance)
        found, published = made.state(sandbox), made.published(sandbox)
        counting.seen(found, made.allowed(found, DAY_2))
        assert published in killed.versions, counting
        status = sandbox.run("status", "--run-date", DAY_2)
        assert "running" not in status.stdout, counting
        assert published == killed.end[0] or status.returncode, counting
        sandbox.succeed("run", "--run-date", DAY_2)
        counting.seen(made.state(sandbox), made.after)
        if target == "duckdb":
            assert files_of(sandbox.home) == files_of(killed.sandbox.home), counting
        counting.converged(made.end(sandbox), killed.end)
        if counting.trial % 7 == 0:  # the version has the history's rows, too
            sandbox.succeed("status", "--run-date", DAY_2)
            assert "history is raw on 2 days" in sandbox.succeed("verify", "--history")


def test_a_prune_killed_at_any_moment(fault: Callable[[str], Fault], killed: Killed, tmp_path: Path) -> None:
    words, made = ("prune", "--keep-days", "1"), killed.made

    def copy(name: str) -> Sandbox:
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        return replace(killed.sandbox, home=Path(shutil.copytree(killed.sandbox.home, tmp_path / name)))

    untouched, began = copy("untouched"), time.monotonic()
    untouched.succeed(*words)
    length, counting = time.monotonic() - began, fault("kill -9 of a prune at any moment")
    for chance in counting.trials(20, 1):
        sandbox = copy("copy")
        process = sandbox.start(*words)
        time.sleep(chance.uniform(0, length))
        kill(process, sandbox)
        found = made.state(sandbox)
        kept = {place: rows for place, rows in made.after.items() if DAY_1 not in place or place in found}
        counting.seen(found, kept)
        assert made.published(sandbox) == killed.end[0], counting
        sandbox.succeed("verify")
        sandbox.succeed(*words)
        counting.converged(made.end(sandbox), made.end(untouched))


@pytest.mark.parametrize("target", ["duckdb", "postgres"])
@pytest.mark.parametrize("days", [(DAY_2, DAY_2), (DAY_2, "2021-01-03")], ids=["one day", "two days"])
def test_two_runs_at_once(
    fault: Callable[[str], Fault], killed: Killed, built_homes: BuiltHomes, server: EmbeddedPostgres, tmp_path: Path,
    days: tuple[str, str], target: str,
) -> None:  # fmt: skip
    """One may be killed; then both run alone, each as often as three times."""
    made = killed.made if target == "duckdb" else Whole(built_homes, server, tmp_path, target)
    untouched = made.copy(tmp_path / "untouched")
    versions = [made.published(untouched)]
    for day in days:
        untouched.succeed("run", "--run-date", day)
        versions.append(made.published(untouched))
    counting = fault(f"two whole runs at once, of {len(set(days))} day{'s' * (len(set(days)) - 1)}, on {target}")
    for chance in counting.trials(3, 1):
        sandbox = made.copy(tmp_path / "copy")
        processes = []
        for day in days:
            processes.append(sandbox.start("run", "--run-date", day))
            time.sleep(chance.uniform(0, 3))
        if chance.random() < 1 / 3:
            chance.choice(processes).kill()
        for process in processes:
            _, errors = process.communicate(timeout=900)
            assert process.returncode in (0, 1, 3, -signal.SIGKILL), errors
        wait_until_gone(set(), sandbox.home)
        found = made.state(sandbox)
        counting.seen(found, made.allowed(found, *days))
        assert made.published(sandbox) in versions, counting
        for day in days * chance.randrange(1, 3):
            sandbox.succeed("run", "--run-date", day)
        counting.converged(made.end(sandbox), made.end(untouched))


def test_an_extract_that_starts_its_own_server_is_killed(fault: Callable[[str], Fault], tmp_path: Path) -> None:
    """Nothing is configured: it makes a Postgres, and a sample. The next command stops what a kill has left."""
    sandbox = Sandbox(tmp_path / "home")
    embedded, words = EmbeddedPostgres(sandbox.home), ("extract", "--run-date", DAY_1, "--source", "northwind")
    try:
        began = time.monotonic()
        sandbox.succeed(*words)
        length, wanted = time.monotonic() - began, _hashes(sandbox)
        counting = fault("kill -9 of an extract with its own Postgres")
        for chance in counting.trials(10, 1):
            embedded.remove()
            shutil.rmtree(sandbox.home)
            process = sandbox.start(*words)
            time.sleep(chance.uniform(0, length))
            started = descendants(process.pid)
            process.kill()
            process.communicate()
            sandbox.succeed(*words)
            wait_until_gone(started, sandbox.home)
            assert not embedded.is_running(), counting
            counting.converged(_hashes(sandbox), wanted)
    finally:
        embedded.remove()


def _hashes(sandbox: Sandbox) -> dict[str, str]:
    tables = sandbox.manifest("northwind", DAY_1)["tables"]
    return {name: table["content_hash"] for name, table in tables.items()}
