"""Convert validation results into findings that a person can act on."""

from typing import Any

from pipeline.checks.findings import Finding
from pipeline.checks.outcomes import Outcome, describe_outcome, describe_rows
from pipeline.checks.suites import Check, Suite

# The columns in which a query over several tables or columns names a row's table and column.
_TABLE, _COLUMN = "table_name", "column_name"


def findings_of(suite: Suite, outcome: Outcome, accepted: frozenset[str]) -> list[Finding]:
    """Return a failed expectation's findings, one for each table and column."""
    if outcome.passed:
        return []
    check = outcome.check
    places: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for row in outcome.examples:
        place = row.get(_TABLE, check.table), row.get(_COLUMN, check.column)
        places.setdefault(place, []).append(
            {name: value for name, value in row.items() if name not in (_TABLE, _COLUMN)}
        )
    if len(places) > 1 or any(_TABLE in row for row in outcome.examples):
        return [
            _finding(suite, check, accepted, *place, f"{check.expect} Found: {describe_rows(rows)}")
            for place, rows in places.items()
        ]
    return [_finding(suite, check, accepted, check.table, check.column, f"{check.expect} {describe_outcome(outcome)}")]


def _finding(
    suite: Suite, check: Check, accepted: frozenset[str], table: str, column: str | None, described: str
) -> Finding:
    return Finding(
        suite=suite.title,
        expectation=check.id,
        table=table,
        column=column,
        severity=check.severity,
        acceptable_as=check.accepted_by,
        accepted_by=check.accepted_by if check.accepted_by in accepted else None,
        description=described,
    )
