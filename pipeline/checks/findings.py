"""The findings of checks, and their messages."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ingestion.errors import StepFailed


class Stage(StrEnum):
    """The time of a check: on raw rows before the build, or on finished marts before the publish."""

    ARRIVALS = "arrivals"
    MARTS = "marts"


@dataclass(frozen=True)
class Finding:
    """An unmet expectation of one table and column.

    `acceptable_as` is the word that would accept it ("shrink"), `accepted_by` is the same word once it was given.
    """

    suite: str
    expectation: str
    table: str
    column: str | None
    severity: str
    acceptable_as: str | None
    accepted_by: str | None
    description: str

    @property
    def stops_the_run(self) -> bool:
        """Whether it prevents a publish."""
        return self.severity == "critical" and self.accepted_by is None

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        return f"{self.expectation} on {place}: {self.description}"


@dataclass(frozen=True)
class CheckResult:
    """The result of a stage: the numbers of met and unmet expectations, the findings, and the index of its pages."""

    stage: Stage
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


def refuse_critical(result: CheckResult) -> None:
    """Raise StepFailed with the findings that stop the run, and with the option that accepts them if there is one."""
    if found := [str(finding) for finding in result.critical]:
        options = sorted({f"--accept-{finding.acceptable_as}" for finding in result.critical if finding.acceptable_as})
        hint = f"if this is intended, add {' '.join(options)}" if options else None
        raise StepFailed.of("expectations are not met", found, hint=hint, page=str(result.page))
