"""kill -9 at every line of the modules that land and load: a day is the old one or the new one, and nothing else."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.small import Small
from tests.faults.trials import Fault
from tests.faults.worker import Worker


def _lines(small: Small, folder: Path, day: int, lines: int) -> list[list]:
    """Return every line that extract and load of a day come to."""
    record = folder / "lines.json"
    assert small.copy(folder / "recorded").do(day, lines=lines, record=str(record)) == 0
    return json.loads(record.read_text(encoding="utf-8"))


@pytest.mark.parametrize("again", [False, True], ids=["the next day", "a day that is there"])
def test_killed_at_every_line(fault: Callable[[str], Fault], worker: Worker, tmp_path: Path, again: bool) -> None:
    """Killed in a day; then, by turns, the next day runs first; then the day runs again."""
    made = Small(tmp_path / "made", worker)
    made.folder.mkdir()
    assert made.do(0) == 0
    day, before = (0, {0: 0}) if again else (1, {0: 0})
    counting = fault(f"kill -9 at each line of extract and load, {'a day again' if again else 'the next day'}")
    lines = _lines(made, tmp_path, day, 1)
    untouched = made.copy(tmp_path / "untouched")
    assert untouched.do(day, lines=1) == 0
    both = untouched.copy(tmp_path / "both")
    assert both.do(2) == 0
    days = sorted({0, day})
    after = before | {day: 1}
    assert len(lines) > 300
    for chance in counting.trials(len(lines), 10):
        small = made.copy(tmp_path / "killed")
        assert small.do(day, lines=1, kill=lines[counting.trial]) == -signal.SIGKILL
        states = [(before, before), (after, before), (after, after)]
        counting.seen(small.state(), *(small.expected(*state) for state in states))
        if first := chance.random() < 0.3:
            assert small.do(2) == 0  # another day meets what the kill left
            states = [small.expected(*({**one, 2: 2} for one in state)) for state in states]
            counting.seen(small.state(), *states)
        assert small.do(day, lines=1) == 0
        wanted, ended = (both, [*days, 2]) if first else (untouched, days)
        if first:
            counting.seen(small.state(), small.expected({**after, 2: 2}, {**after, 2: 2}))
        counting.converged(small.end(*ended), wanted.end(*ended))
