"""Write the history of runs as a page: every day in the ledger, step by step."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.ledger import STEPS, Ledger
from pipeline.ledger.status import step_command
from pipeline.pages import Pages
from pipeline.run.request import Request

HISTORY_PAGE = "runs.html"
# A step's states, worst first: a day, or a step with several parts, shows the worst of them.
_STATES = ("failed", "refused", "interrupted", "running", "not run", "skipped", "done")
MARKS = dict(zip(_STATES, "✗✗✗…·–✓", strict=True))


@dataclass(frozen=True)
class Day:
    """The steps of a run date: the ledger's entries with their step, their source or target (`part`) and `seconds`."""

    run_date: str
    lines: list[dict[str, Any]]

    @property
    def state(self) -> str:
        return _worst(line["state"] for line in self.lines)

    @property
    def steps(self) -> dict[str, str]:
        """The state of each step, in order."""
        return {step: _worst(line["state"] for line in self.lines if line["step"] == step) for step in STEPS}

    def total(self, name: str) -> float:
        """Return the sum of `rows` (of extract), `rejected_rows` or `seconds`; every engine rejects the same rows."""
        lines = [line for line in self.lines if name == "seconds" or line["step"] == "extract"]
        built = [line.get(name) or 0 for line in self.lines if name == "rejected_rows" and line["step"] == "build"]
        return sum(line.get(name) or 0 for line in lines) + max(built, default=0)


def write_history(request: Request) -> None:
    """Write the page of all run dates, latest first."""
    pages = Pages(request.home.root / "reports", Path(__file__).with_name("templates"))
    pages.write(HISTORY_PAGE, "history.html", days=read_days(request.ledger), marks=MARKS)


def read_days(ledger: Ledger) -> list[Day]:
    """Return every run date in the ledger, latest first."""
    return [
        Day(run_date, [line for step in STEPS for line in _lines(ledger, run_date, step)])
        for run_date in reversed(ledger.days())
    ]


def _lines(ledger: Ledger, run_date: str, step: str) -> list[dict[str, Any]]:
    found = [
        entry | {"step": step, "part": source or entry["target"], "seconds": _seconds(entry["started"], entry["ended"])}
        for source, entry in ledger.parts(run_date, step)
    ]
    return found or [{"step": step, "part": "", "state": "not run", "command": step_command(step, run_date)}]


def _seconds(started: str, ended: str | None) -> float | None:
    if ended is None:
        return None
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()


def _worst(states: Iterable[str]) -> str:
    return min(states, key=_STATES.index, default="not run")
