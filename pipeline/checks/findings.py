"""The findings of checks, which a person can act on, and their messages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.errors import StepFailed
from pipeline.checks.outcomes import Outcome, describe_outcome, describe_rows
from pipeline.checks.suites import Check

# The columns in which a query over several tables or columns names a row's table and column.
_TABLE, _COLUMN = "table_name", "column_name"


@dataclass(frozen=True)
class Finding:
    """An unmet expectation of one table and column; `accepted_by` is the word ("shrink") that was given for it."""

    check: Check
    table: str
    column: str | None
    accepted_by: str | None
    description: str

    @property
    def stops_the_run(self) -> bool:
        """Whether it prevents a publish."""
        return self.check.severity == "critical" and self.accepted_by is None

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        return f"{self.check.id} on {place}: {self.description}"


@dataclass(frozen=True)
class CheckResult:
    """The result of a stage: the numbers of met and unmet expectations, the findings, and the index of its pages."""

    passed: int
    failed: int
    findings: list[Finding]
    page: Path

    @property
    def critical(self) -> list[Finding]:
        """The findings that stop the run."""
        return [finding for finding in self.findings if finding.stops_the_run]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that are only reported: warnings, and critical ones that were accepted."""
        return [finding for finding in self.findings if not finding.stops_the_run]


def findings_of(outcome: Outcome, accepted: frozenset[str]) -> list[Finding]:
    """Return a failed expectation's findings, one for each table and column; `accepted` are the words given."""
    if outcome.passed:
        return []
    check = outcome.check
    accepted_by = check.accepted_by if check.accepted_by in accepted else None
    places: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for row in outcome.examples:
        shown = {name: value for name, value in row.items() if name not in (_TABLE, _COLUMN)}
        places.setdefault((row.get(_TABLE, check.table), row.get(_COLUMN, check.column)), []).append(shown)
    if len(places) > 1 or any(_TABLE in row for row in outcome.examples):
        found = {place: f"Found: {describe_rows(rows)}" for place, rows in places.items()}
    else:
        found = {(check.table, check.column): describe_outcome(outcome)}
    return [Finding(check, *place, accepted_by, f"{check.expect} {described}") for place, described in found.items()]


def refuse_critical(result: CheckResult) -> None:
    """Raise StepFailed with the findings that stop the run, and with the option that accepts them if there is one."""
    if critical := result.critical:
        options = sorted({f"--accept-{found.check.accepted_by}" for found in critical if found.check.accepted_by})
        hint = f"if this is intended, add {' '.join(options)}" if options else None
        raise StepFailed.of("expectations are not met", list(map(str, critical)), hint=hint, page=str(result.page))
