"""Write the history of runs as a page: every day in the ledger, step by step."""

from dataclasses import dataclass, field
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
class StepLine:
    """One step of a day, or its part for one source or warehouse (`part`)."""

    step: str
    part: str
    state: str
    command: str
    started: str | None = None
    seconds: float | None = None
    rows: int | None = None
    rejected: int | None = None
    error: str | None = None
    accepted: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Day:
    """The steps of a run date."""

    run_date: str
    lines: list[StepLine]

    @property
    def state(self) -> str:
        return _worst(line.state for line in self.lines)

    @property
    def steps(self) -> dict[str, str]:
        """The state of each step, in order."""
        return {step: _worst(line.state for line in self.lines if line.step == step) for step in STEPS}

    def total(self, name: str) -> float:
        """Return the sum of the steps' `rows` (of extract), `rejected` or `seconds`; every engine rejects the same."""
        lines = [line for line in self.lines if name == "seconds" or line.step == "extract"]
        built = [line.rejected or 0 for line in self.lines if name == "rejected" and line.step == "build"]
        return sum(getattr(line, name) or 0 for line in lines) + max(built, default=0)


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


def _lines(ledger: Ledger, run_date: str, step: str) -> list[StepLine]:
    lines = [_line(step, source or part["target"], part) for source, part in ledger.parts(run_date, step)]
    return lines or [StepLine(step, "", "not run", step_command(step, run_date))]


def _line(step: str, name: str, part: dict[str, Any]) -> StepLine:
    return StepLine(
        step=step,
        part=name,
        state=part["state"],
        command=part["command"],
        started=part["started"][:19].replace("T", " "),
        seconds=_seconds(part["started"], part["ended"]),
        rows=part["rows"],
        rejected=part.get("rejected_rows"),
        error=part["error"],
        accepted=part.get("accepted") or [],
    )


def _seconds(started: str, ended: str | None) -> float | None:
    if ended is None:
        return None
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()


def _worst(states: Any) -> str:
    return min(states, key=_STATES.index, default="not run")
