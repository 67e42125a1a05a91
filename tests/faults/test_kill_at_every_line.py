"""kill -9 at every line of the modules that land and load: a day is the old one or the new one, and nothing else."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.small import BAD, DAYS, Small
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
    for chance in counting.trials(len(lines), 4):
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


# The days that are there, what is killed, the days that may have landed and be loaded meanwhile, and how many files the
# last day has at the end. Each day has its own file of the source.
Case = tuple[tuple[int, ...], Callable[..., int], list[tuple[set[int], set[int]]], int]
CASES: dict[str, Case] = {
    "an extract of new lines": (
        (0,),
        lambda small, **more: small.do(1, **more),
        [({0}, {0}), ({0, 1}, {0}), ({0, 1}, {0, 1})],
        2,
    ),
    "an extract that folds files": (
        (0, 1),
        lambda small, **more: small.do(2, constants={"ingestion.sharing.MOST_FILES": 1}, **more),
        [({0, 1}, {0, 1}), ({0, 1, 2}, {0, 1}), ({0, 1, 2}, {0, 1, 2})],
        2,
    ),
    "a prune": (
        (0, 1, 2),
        lambda small, **more: small.prune(0, 1, **more),
        [({0, 1, 2}, {0, 1, 2}), ({1, 2}, {0, 1, 2}), ({2}, {0, 1, 2}), ({2}, {2})],
        3,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_days_share_is_killed_at_every_line(
    fault: Callable[[str], Fault], worker: Worker, tmp_path: Path, name: str
) -> None:
    """Every tenth line; the test above kills the same steps at all lines."""
    before, act, allowed, files = CASES[name]
    made = Small(tmp_path / "made", worker)
    if name == "an extract of new lines":
        made.files[1] = made.files[0] + "".join(f"{number},1,2.5,1,0\n" for number in range(50)) + f"{BAD}\n"
    made.folder.mkdir()
    for day in before:
        assert made.do(day) == 0
    made.keep_history()
    record = tmp_path / "lines.json"
    untouched = made.copy(tmp_path / "untouched")
    assert act(untouched, record=str(record)) == 0
    ended = sorted(allowed[-1][1])
    assert len(untouched.manifest(DAYS[ended[-1]])["tables"]["order_details"]["files"]) == files
    lines = json.loads(record.read_text(encoding="utf-8"))
    counting = fault(f"kill -9 at every tenth line of {name}")
    for _ in counting.trials(len(lines) // 10, 1):
        small = made.copy(tmp_path / "killed")
        assert act(small, kill=lines[counting.trial * 10]) == -signal.SIGKILL
        states = [[{day: day for day in days} for days in stages] for stages in allowed]
        counting.seen(small.state(), *(small.expected(*state) for state in states))
        assert act(small) == 0
        counting.seen(small.state(), small.expected(*states[-1]))
        counting.converged(small.end(*ended), untouched.end(*ended))
