"""Two processes on one home at once, one of them killed by chance: days are whole, and running them again mends all."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from tests.faults.small import DAYS, Small
from tests.faults.trials import Days, Fault
from tests.faults.worker import Worker

# What each of two processes does in a home that has some days. The later days' files are always those of the days.
PAIRS: dict[str, tuple[tuple[int, ...], Callable[..., int], Callable[..., int]]] = {
    "a day and the same day": ((0,), lambda one, **more: one.do(1, **more), lambda two, **more: two.do(1, **more)),
    "a day and the next day": ((0,), lambda one, **more: one.do(1, **more), lambda two, **more: two.do(2, **more)),
    "a day and a prune": ((0, 1), lambda one, **more: one.do(2, **more), lambda two, **more: two.prune(0, **more)),
    "two prunes": ((0, 1, 2), lambda one, **more: one.prune(0, **more), lambda two, **more: two.prune(0, 1, **more)),
}


def _possible(small: Small, before: tuple[int, ...], after: set[int]) -> list[Days]:
    """Return the states in which each day that comes or goes has landed or not, and is loaded or not."""
    changing = sorted(set(before) ^ after)
    subsets = [set(chosen) for chosen in product(*([day, None] for day in changing))]
    return [
        small.expected(*({day: day for day in {*(set(before) & after), *stage} - {None}} for stage in stages))
        for stages in product(subsets, subsets)
    ]


@pytest.mark.parametrize("name", PAIRS)
def test_two_at_once(
    fault: Callable[[str], Fault], worker: Worker, other_worker: Worker, tmp_path: Path, name: str
) -> None:
    """The second begins at any moment of the first; one may be killed; then each runs alone, in any order."""
    before, first, second = PAIRS[name]
    made = Small(tmp_path / "made", worker)
    made.folder.mkdir()
    for day in before:
        assert made.do(day) == 0
    made.keep_history()
    untouched, began = made.copy(tmp_path / "untouched"), time.monotonic()
    assert first(untouched) == second(untouched) == 0
    length, after = (time.monotonic() - began) / 2, set(map(DAYS.index, untouched.landed()))
    counting = fault(f"two at once: {name}")
    for chance in counting.trials(20, 1):
        one = made.copy(tmp_path / "both")
        two = replace(one, worker=other_worker, source="other.csv")
        first(one, is_left=True)
        time.sleep(chance.uniform(0, length))
        second(two, is_left=True)
        if is_killed := chance.random() < 1 / 3:
            time.sleep(chance.uniform(0, length))
            with suppress(ProcessLookupError):
                os.kill(chance.choice([one, two]).worker.child, signal.SIGKILL)
        codes = one.worker.wait(), two.worker.wait()
        assert set(codes) <= {0, 1, -signal.SIGKILL}, counting
        assert is_killed or 0 in codes, f"{counting}: each was in the other's way"
        counting.seen(one.state(), *_possible(one, before, after))
        for does in chance.sample([first, second], 2):
            assert does(one) == 0, counting
        counting.converged(one.end(*after), untouched.end(*after))


def test_days_in_any_order_with_a_kill(fault: Callable[[str], Fault], worker: Worker, tmp_path: Path) -> None:
    """Days run in any order, each up to three times, and one is killed; then all run in another order."""
    made = Small(tmp_path / "made", worker)
    made.folder.mkdir()
    began, all_days = time.monotonic(), list(range(len(DAYS)))
    for day in all_days:
        assert made.do(day) == 0
    length = (time.monotonic() - began) / len(DAYS)
    counting = fault("days in any order, up to three times each, one killed")
    empty = replace(made, folder=tmp_path / "empty")
    empty.folder.mkdir()
    for chance in counting.trials(20, 1):
        small = empty.copy(tmp_path / "any")
        order = chance.sample(all_days * 3, 3 * len(DAYS) - chance.randrange(4))
        killed = chance.randrange(len(order))
        for place, day in enumerate(order):
            if place == killed:
                _kill(small, day, chance.uniform(0, length))
            else:
                assert small.do(day) == 0, counting
        for day in chance.sample(all_days, len(DAYS)):
            assert small.do(day) == 0, counting
        wanted = {day: day for day in all_days}
        counting.seen(small.state(), small.expected(wanted, wanted))
        counting.converged(small.end(*all_days), made.end(*all_days))


def _kill(small: Small, day: int, after: float) -> None:
    small.do(day, is_left=True)
    time.sleep(after)
    with suppress(ProcessLookupError):
        os.kill(small.worker.child, signal.SIGKILL)
    assert small.worker.wait() in (0, -signal.SIGKILL)
