"""What each injected fault did: trials, and rows lost, doubled or misfiled, counted against the source."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from random import Random

# The whole suite's size; each test names its own fast one. A trial's number also seeds its chance.
IS_WHOLE = os.environ.get("TRADEWINDS_FAULTS") == "all"
# Repeats one trial of a failed test: the number that its message names.
_ONLY = os.environ.get("TRADEWINDS_FAULT_TRIAL")

# The rows of each day, each as often as it is there.
Days = Mapping[str, Counter]


@dataclass
class Tally:
    """The figures of one fault; a trial converges when the next command makes all good."""

    fault: str
    trials: int = 0
    lost: int = 0
    doubled: int = 0
    misfiled: int = 0
    converged: int = 0

    @property
    def is_clean(self) -> bool:
        return self.trials == self.converged > 0 and not (self.lost or self.doubled or self.misfiled)


class Fault:
    """One fault, injected again and again; `seen` and `converged` are called in each trial."""

    def __init__(self, name: str):
        self.tally, self.trial = Tally(name), 0

    def trials(self, whole: int, fast: int, first: int = 0) -> Iterator[Random]:
        """Yield each trial's own chance; the fast trials are some of the whole suite's, evenly spread.

        Of a fault with several tests, `first` is the number of the test's first trial.
        """
        step = 1 if IS_WHOLE else max(1, whole // fast)
        for self.trial in [int(_ONLY)] if _ONLY else range(first + step // 2, first + whole, step):
            self.tally.trials += 1
            yield Random(f"{self.tally.fault} {self.trial}")
            assert self.tally.converged == self.tally.trials, f"{self}: it didn't converge"

    def seen(self, found: Days, *allowed: Days) -> None:
        """Compare the rows that are there with those that may be: the nearest of several states counts."""
        lost, doubled, misfiled = min((_differences(found, each) for each in allowed), key=sum)
        self.tally.lost += lost
        self.tally.doubled += doubled
        self.tally.misfiled += misfiled
        assert (lost, doubled, misfiled) == (0, 0, 0), f"{self}: {lost} lost, {doubled} doubled, {misfiled} misfiled"

    def converged(self, found: object, expected: object) -> None:
        """Count the trial as converged if what is there is what would be there without the fault."""
        assert found == expected, f"{self}"
        self.tally.converged += 1

    def __repr__(self) -> str:
        return f"{self.tally.fault}, TRADEWINDS_FAULT_TRIAL={self.trial}"


def _differences(found: Days, expected: Days) -> tuple[int, int, int]:
    """Return how many rows are missing, there too often, and on a day to which they don't belong."""
    lost = doubled = misfiled = 0
    for day in {*found, *expected}:
        here, due = Counter(found.get(day, ())), Counter(expected.get(day, ()))
        lost += (due - here).total()
        for row, times in (here - due).items():
            doubled += times if row in due else 0
            misfiled += 0 if row in due else times
    return lost, doubled, misfiled


def table(tallies: Iterable[dict]) -> list[str]:
    """Return the lines of a table in Markdown, one for each fault."""
    columns = list(asdict(Tally("")))
    rows = [columns, ["---"] + ["---:"] * (len(columns) - 1)]
    of_fault: dict[str, Counter] = {}
    for tally in tallies:
        of_fault.setdefault(tally["fault"], Counter()).update({column: tally[column] for column in columns[1:]})
    rows += [[fault, *(str(sums[column]) for column in columns[1:])] for fault, sums in sorted(of_fault.items())]
    return [f"| {' | '.join(row)} |" for row in rows]
