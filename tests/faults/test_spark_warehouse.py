"""Spark: kill -9 of a load, two loads at once, any sequence. Each command has a Spark of its own, as a user's has."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.settings import PROJECT
from tests.faults.small import Small
from tests.faults.test_any_sequence import Sequence, run_sequences
from tests.faults.trials import IS_WHOLE, Days, Fault
from tests.faults.worker import Worker, working

pytestmark = pytest.mark.skipif(not IS_WHOLE, reason="takes Spark; tests/spark kills a load, a worker and publishes")

_PYTHON = PROJECT / ".venv-spark" / "bin" / "python"
SETTINGS = {
    "TRADEWINDS_SPARK_MASTER": "local[1]", "TRADEWINDS_SPARK_PARTITIONS": "1",
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
}  # fmt: skip


@pytest.fixture(scope="module")
def spark_worker() -> Iterator[Worker]:
    with working(python=_PYTHON) as found:
        yield found


@pytest.fixture(scope="module")
def other_spark_worker() -> Iterator[Worker]:
    with working(python=_PYTHON) as found:
        yield found


def _made(folder: Path, worker: Worker) -> Small:
    """Return a home whose first day is there."""
    made = Small(folder, worker, SETTINGS, "spark")
    made.folder.mkdir()
    assert made.do(0) == 0
    return made


def _lines(made: Small, folder: Path) -> list[list]:
    """Return every line that a load of a day that has landed comes to."""
    record, recorded = folder / "lines.json", made.copy(folder / "recorded")
    assert recorded.do(0, steps="load", record=str(record)) == 0
    return json.loads(record.read_text(encoding="utf-8"))


def _states(small: Small, *states: tuple[dict[int, int], dict[int, int]]) -> list[Days]:
    return [small.expected(*state) for state in states]


@pytest.mark.parametrize("again", [False, True], ids=["the next day", "a day that is there"])
def test_a_load_killed_at_any_line(
    fault: Callable[[str], Fault], spark_worker: Worker, tmp_path: Path, again: bool
) -> None:
    """A day that is loaded again isn't loaded meanwhile: there is no transaction over several tables."""
    made, day = _made(tmp_path / "made", spark_worker), 0 if again else 1
    lines = _lines(made, tmp_path)
    assert made.do(day, lines=1, steps="extract") == 0
    untouched = made.copy(tmp_path / "untouched")
    assert untouched.do(day, lines=1, steps="load") == 0
    ended = sorted({0, day})
    counting = fault("kill -9 of a load at any line, on Spark")
    for chance in counting.trials(10, 1, first=10 * again):
        small = made.copy(tmp_path / "killed")
        code = small.do(day, lines=1, steps="load", kill=chance.choice(lines))
        assert code in (0, -signal.SIGKILL), counting
        landed = {0: 0} | {day: 1}
        others = {0: 0} if day else {}
        allowed = _states(small, (landed, {0: 0}), (landed, others), (landed, {**others, day: 1}))
        counting.seen(small.state(), *allowed)
        assert small.do(day, lines=1, steps="load") == 0
        counting.converged(small.end(*ended), untouched.end(*ended))


@pytest.mark.parametrize("days", [(1, 1), (1, 2)], ids=["one day", "two days"])
def test_two_loads_at_once(
    fault: Callable[[str], Fault],
    spark_worker: Worker,
    other_spark_worker: Worker,
    tmp_path: Path,
    days: tuple[int, int],
) -> None:
    """One may be killed; then both run alone."""
    made = _made(tmp_path / "made", spark_worker)
    for day in sorted({*days}):
        assert made.do(day, steps="extract") == 0
    untouched, began = made.copy(tmp_path / "untouched"), time.monotonic()
    for day in days:
        assert untouched.do(day, steps="load") == 0
    length, after = (time.monotonic() - began) / 2, sorted({0, *days})
    landed = {day: day for day in after}
    counting = fault(f"two loads at once, of {len({*days})} day{'s' * (len({*days}) - 1)}, on Spark")
    for chance in counting.trials(3, 1):
        one = made.copy(tmp_path / "both")
        two = replace(one, worker=other_spark_worker, source="other.csv")
        one.do(days[0], steps="load", is_left=True)
        time.sleep(chance.uniform(0, length / 2))
        two.do(days[1], steps="load", is_left=True)
        if is_killed := chance.random() < 1 / 3:
            time.sleep(chance.uniform(0, length))
            with suppress(ProcessLookupError):
                os.kill(chance.choice([one, two]).worker.child, signal.SIGKILL)
        codes = one.worker.wait(), two.worker.wait()
        one.wait()
        assert set(codes) <= {0, 1, -signal.SIGKILL}, counting
        assert is_killed or 0 in codes, f"{counting}: each was in the other's way"
        loaded = [{0: 0} | {day: day for day in some} for some in ((), days, days[:1], days[1:])]
        counting.seen(one.state(), *_states(one, *((landed, each) for each in loaded)))
        for day in days:
            assert one.do(day, steps="load") == 0, counting
        counting.converged(one.end(*after), untouched.end(*after))


class SparkSequence(Sequence):
    """Publishes of tiny marts are killed in tests/spark, and a prune needs history."""

    target, settings = "spark", SETTINGS
    publish = rollback = prune = None

    def _after(self, day: int, what: str) -> list[tuple[dict, dict]]:
        *before, last = super()._after(day, what)
        absent = (
            [(last[0], {held: file for held, file in self.loaded.items() if held != day})] if "load" in what else []
        )
        return [*before, *absent, last]


def test_any_sequence_on_spark(fault: Callable[[str], Fault], spark_worker: Worker, tmp_path: Path) -> None:
    lines = _lines(_made(tmp_path / "made", spark_worker), tmp_path)
    run_sequences(SparkSequence, fault("any sequence of steps, on Spark"), spark_worker, lines, tmp_path, (2, 8))
