"""Read the suites: `tests/expectations/<stage>/<name>.yml`."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from ingestion.settings import PROJECT
from pipeline.dbt.project import OPERATIONS_SCHEMA, published_marts, read_yaml

FOLDER = PROJECT / "tests" / "expectations"
# A suite with expectations that apply to every source.
_EVERY_SOURCE = "every_source"
# Marts about runs and rejects, which have dbt's tests alone.
_UNCHECKED_DOMAINS = {OPERATIONS_SCHEMA, "quarantine"}


class Stage(StrEnum):
    """The time of a check: on raw rows before the build, or on finished marts before the publish."""

    ARRIVALS = "arrivals"
    MARTS = "marts"


@dataclass(frozen=True)
class Check:
    """One expectation, defined in one of three ways.

    `type` and `arguments` name an expectation of Great Expectations; `bounds` is SQL for one row with further
    arguments, and if one of them is NULL, there is nothing to compare with. `where` is a condition that no row of the
    table may meet, `query` selects rows that must not exist. Messages show a row's `key` and the checked column.
    """

    id: str
    table: str
    expect: str
    severity: str
    risk: str
    column: str | None = None
    key: list[str] = field(default_factory=list)
    type: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    bounds: str | None = None
    where: str | None = None
    query: str | None = None
    accepted_by: str | None = None


@dataclass(frozen=True)
class Suite:
    """One file's expectations, and the sources it depends on."""

    stage: Stage
    name: str
    sources: list[str]
    checks: list[Check]

    @property
    def title(self) -> str:
        return f"{self.stage} {self.name}"


def read_suites(stage: Stage, sources: Iterable[str] | None = None) -> list[Suite]:
    """Return a stage's suites that depend on no other than these sources, by default all.

    The first one has the expectations of every source.
    """
    suites = [_read_suite(path) for path in sorted((FOLDER / stage).glob("*.yml"))]
    shared = [suite for suite in suites if suite.name == _EVERY_SOURCE]
    suites = [suite for suite in suites if suite not in shared]
    if sources is not None:
        suites = [suite for suite in suites if set(suite.sources) <= set(sources)]
    covered = list(dict.fromkeys(source for suite in suites for source in suite.sources))
    return [replace(suite, sources=covered) for suite in shared] + suites


def find_unruled(stage: Stage, sources: Iterable[str]) -> list[str]:
    """Return what a stage has no expectation for: sources of these, or domains of published marts."""
    suites = read_suites(stage)
    if stage == Stage.ARRIVALS:
        ruled = {source for suite in suites for source in suite.sources}
        shared = [] if any(suite.name == _EVERY_SOURCE for suite in suites) else [_EVERY_SOURCE]
        return shared + [source for source in sources if source not in ruled]
    ruled = {check.table.partition(".")[0] for suite in suites for check in suite.checks} | _UNCHECKED_DOMAINS
    return sorted({mart.place[0] for mart in published_marts()} - ruled)


def sharing_suites(sources: Iterable[str], of_day: Iterable[str]) -> list[str]:
    """Return the sources of all marts' suites that depend on one of these sources and on no other than the day's."""
    shared = [set(suite.sources) for suite in read_suites(Stage.MARTS, of_day) if suite.checks]
    return sorted(set().union(*(suite for suite in shared if suite & set(sources))))


@cache
def _read_suite(path: Path) -> Suite:
    content = read_yaml(path)
    checks = [Check(**check) for check in content["expectations"]]
    return Suite(Stage(path.parent.name), path.stem, content.get("sources", []), checks)
