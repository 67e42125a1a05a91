"""Any sequence of changes, extracts, loads, kills, drift, backfills, publishes, rollbacks and prunes, against a model.

The model is a dictionary: which file each landed and each loaded day has, and what each published version shows.
"""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import duckdb
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from ingestion.errors import Refused
from ingestion.settings import Home
from tests.faults.small import DAYS, Small, counted, lines_of
from tests.faults.trials import IS_WHOLE, Fault
from tests.faults.worker import Worker
from tests.python.pipeline.test_publishing import Engine

_SIZE = 1_000
_FILES = {file: lines_of(file, _SIZE) for file in range(5)}
# A column has another name; and one is gone.
_DRIFTED = [
    _FILES[0].replace("quantity", "amount", 1),
    "\n".join(line.rpartition(",")[0] for line in _FILES[0].splitlines()),
]

days, files = st.integers(0, len(DAYS) - 1), st.sampled_from(sorted(_FILES))
steps, moments = st.sampled_from(["extract", "load", "extract load"]), st.floats(0, 1, exclude_max=True)


class Sequence(RuleBasedStateMachine):
    """A home of one source, and the model of it."""

    worker: Worker
    target = "duckdb"
    settings: ClassVar[dict[str, str]] = {}
    lines: list[list]
    folder: Path
    counting: Fault

    def __init__(self) -> None:
        super().__init__()
        self.counting.tally.trials += 1
        self.counting.trial = self.counting.tally.trials
        folder = self.folder / str(self.counting.trial)
        self.small = Small(folder, self.worker, self.settings, self.target, files=dict(_FILES))
        self.small.folder.mkdir()
        self.file = 0
        self.landed: dict[int, int] = {}
        self.loaded: dict[int, int] = {}
        self.cut: set[int] = set()  # days whose last extract failed or was killed: a load of them is refused, or isn't
        self.pruned = -1
        self.published: list[tuple[str, tuple]] = []

    def _after(self, day: int, what: str) -> list[tuple[dict, dict]]:
        """Return the states that a day's steps pass through."""
        landed = {**self.landed, day: self.file} if "extract" in what else self.landed
        found = [(self.landed, self.loaded), (landed, self.loaded)]
        return [*found, (landed, {**self.loaded, day: landed[day]})] if "load" in what and day in landed else found

    @rule(file=files)
    def change_the_source(self, file: int) -> None:
        self.file = file

    @rule(day=days, what=steps)
    def run_day(self, day: int, what: str) -> None:
        """A pruned day is refused, a day that hasn't landed isn't loaded; all else succeeds."""
        code = self.small.do(day, lines=self.file, steps=what)
        can_load = day in self.landed and (day not in self.cut or code == 0)
        is_done = day > self.pruned if "extract" in what else can_load
        assert code == (0 if is_done else 1), (day, what)
        if is_done:
            self.landed, self.loaded = self._after(day, what)[-1]
            self.cut -= {day} if "extract" in what else set()

    @rule(day=days, what=steps, moment=moments)
    def kill(self, day: int, what: str, moment: float) -> None:
        """At a line of both steps, to which one alone may not come."""
        code = self.small.do(day, lines=self.file, steps=what, kill=self.lines[int(moment * len(self.lines))])
        assert code in (0, 1, -signal.SIGKILL)
        allowed = self._after(day, what) if day > self.pruned else [(self.landed, self.loaded)]
        found = self.small.state()
        self.counting.seen(found, *(self.small.expected(*each) for each in allowed))
        self.landed, self.loaded = next(each for each in allowed if self.small.expected(*each) == found)
        self.cut |= {day} if "extract" in what else set()

    @rule(day=days, text=st.sampled_from(_DRIFTED))
    def drift(self, day: int, text: str) -> None:
        self.small.files[-1] = text
        assert self.small.do(day, lines=-1) == 1
        self.cut |= {day}

    @rule(order=st.permutations(range(len(DAYS))))
    def backfill(self, order: list[int]) -> None:
        for day in order:
            self.run_day(day, "extract load")

    @precondition(lambda self: self.loaded)
    @rule(moment=moments)
    def publish(self, moment: float) -> None:
        day = sorted(self.loaded)[int(moment * len(self.loaded))]
        rows = counted(self.small.files[self.loaded[day]])
        query = f"select count(*), sum(quantity) from raw_northwind.order_details where _run_date = '{DAYS[day]}'"
        ((count, quantity),) = self._engine.execute(query)
        version = self._engine.publish(DAYS[day], {1: count, 2: int(quantity)})
        shown = (rows.total(), sum(int(row[3]) * times for row, times in rows.items()))
        self.published = [each for each in self.published if each[0] != version] + [(version, shown)]
        self.published = self.published[-10:]  # as many are kept

    @precondition(lambda self: self.published)
    @rule()
    def rollback(self) -> None:
        if len(self.published) > 1:
            self._engine.publisher.rollback()
            del self.published[-1]
        else:
            with pytest.raises(Refused):
                self._engine.publisher.rollback()

    @precondition(lambda self: len(DAYS) - 1 in self.loaded)
    @rule(until=st.integers(0, len(DAYS) - 2))
    def prune(self, until: int) -> None:
        """Days that have landed, up to one of them."""
        gone = [day for day in range(until + 1) if day in self.landed]
        if gone:
            self.small.keep_history()
            assert self.small.prune(*gone) == 0
            self.landed = {day: file for day, file in self.landed.items() if day not in gone}
            self.loaded = {day: file for day, file in self.loaded.items() if day not in gone}
            self.cut -= set(gone)
            self.pruned = max(self.pruned, *gone)

    @invariant()
    def rows_are_those_of_the_model(self) -> None:
        if self.landed or self.loaded:
            self.counting.seen(self.small.state(), self.small.expected(self.landed, self.loaded))

    @invariant()
    def readers_see_the_published_version(self) -> None:
        if self.published:
            amounts = self._engine.reads()
            assert (amounts[1], amounts[2]) == self.published[-1][1]

    @property
    def _engine(self) -> Engine:
        home = Home(self.small.home)

        def execute(statement: str) -> list[tuple]:
            with duckdb.connect(str(home.warehouse / "tradewinds.duckdb")) as connection:
                return connection.execute(statement).fetchall()

        return Engine("duckdb", home, execute, "")

    def teardown(self) -> None:
        """Run all days that may be run, after which no file is too many."""
        last = [day for day in range(len(DAYS)) if day > self.pruned]
        for day in last:
            assert self.small.do(day, lines=day) == 0
        wanted = self.small.expected({day: day for day in last}, {day: day for day in last})
        self.counting.converged((self.small.state(), self.small.strays(*last)), (wanted, set()))
        shutil.rmtree(self.small.folder)


def run_sequences(
    machine: type[Sequence], counting: Fault, worker: Worker, lines: list[list], folder: Path, size: tuple[int, int]
) -> None:
    """Run so many sequences of so many steps, the same ones each time."""
    examples, steps = size
    values = {"counting": counting, "worker": worker, "lines": lines, "folder": folder}
    run_state_machine_as_test(
        type("Here", (machine,), values),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_sequence(fault: Callable[[str], Fault], worker: Worker, tmp_path: Path) -> None:
    recorded, record = Small(tmp_path / "recorded", worker), tmp_path / "lines.json"
    recorded.folder.mkdir()
    assert recorded.do(0) == 0
    assert recorded.do(1, record=str(record)) == 0
    lines = json.loads(record.read_text(encoding="utf-8"))
    run_sequences(Sequence, fault("any sequence of steps"), worker, lines, tmp_path, (20, 20) if IS_WHOLE else (1, 10))
