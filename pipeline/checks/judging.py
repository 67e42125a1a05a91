"""Turn what validation found into findings a person can act on."""

from typing import Any

from ingestion.redact import redact
from pipeline.checks.findings import Finding
from pipeline.checks.suites import Check, Suite
from pipeline.checks.validation import Outcome

_SHOWN = 5
# A query that looks at several tables or columns says by these which one a row is about.
_TABLE, _COLUMN = "table_name", "column_name"


def findings_of(suite: Suite, outcome: Outcome, accepted: frozenset[str]) -> list[Finding]:
    """Return a failed expectation's findings, one for each table and column it fails on."""
    if outcome.passed:
        return []
    check = outcome.check
    if outcome.error:
        described = f"{check.expect} It could not be checked: {' '.join(redact(outcome.error).split())[:300]}"
        return [_finding(suite, check, accepted, check.table, check.column, described)]
    places: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for row in outcome.examples:
        place = row.get(_TABLE, check.table), row.get(_COLUMN, check.column)
        places.setdefault(place, []).append({name: value for name, value in row.items() if name not in (_TABLE, _COLUMN)})
    if len(places) > 1 or any(_TABLE in row for row in outcome.examples):
        return [
            _finding(suite, check, accepted, *place, f"{check.expect} Found: {describe_rows(rows)}")
            for place, rows in places.items()
        ]
    return [_finding(suite, check, accepted, check.table, check.column, f"{check.expect} {describe_outcome(outcome)}")]


def describe_outcome(outcome: Outcome) -> str:
    """Return the counts, values and first examples of a failed expectation in one sentence."""
    rows = describe_rows(outcome.examples)
    if outcome.check.query:
        return f"Found: {rows}"
    if outcome.unexpected is None:
        return f"Found: {_value(outcome.observed)}"
    examples = f", such as {rows}" if rows else ""
    return f"{outcome.unexpected:,} of {outcome.elements:,} rows fail{examples}"


def describe_rows(rows: tuple[dict[str, Any], ...] | list[dict[str, Any]]) -> str:
    """Return the first rows as `name=value` pairs."""
    told = [" ".join(f"{name}={_value(value)}" for name, value in row.items()) for row in rows[:_SHOWN]]
    return " | ".join(told) + (" | …" if len(rows) > _SHOWN else "")


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "NULL" if value is None else f"{value:,}" if isinstance(value, int) and abs(value) >= 100_000 else str(value)


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
