"""The outcomes of expectations, and their descriptions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ingestion.redact import redact
from pipeline.checks.suites import Check

_SHOWN = 5


@dataclass(frozen=True)
class Outcome:
    """An expectation's outcome: failing rows, the total, a measured value with its bounds, or the error."""

    check: Check
    passed: bool
    sql: str | None = None
    unexpected: int | None = None
    elements: int | None = None
    observed: Any = None
    bounds: dict[str, Any] = field(default_factory=dict)
    examples: tuple[dict[str, Any], ...] = ()
    error: str | None = None


def describe_outcome(outcome: Outcome) -> str:
    """Return an expectation's counts, measured value and first examples in one sentence."""
    if outcome.error:
        return f"It could not be checked: {redact(' '.join(outcome.error.split()))[:300]}"
    if outcome.unexpected is None and outcome.observed is None and outcome.passed:
        return "Nothing to compare with"
    rows = describe_rows(outcome.examples)
    if outcome.check.query:
        return f"Found: {rows or 'nothing'}"
    if outcome.unexpected is None:
        return f"Found: {describe_value(outcome.observed)}{_describe_bounds(outcome.bounds)}"
    examples = f", such as {rows}" if rows else ""
    return f"{outcome.unexpected:,} of {outcome.elements:,} rows fail{examples}"


def _describe_bounds(bounds: dict[str, Any]) -> str:
    lowest, highest = (name in bounds and describe_value(bounds[name]) for name in ("min_value", "max_value"))
    if lowest and highest:
        return f", expected {lowest}" if lowest == highest else f", expected {lowest} to {highest}"
    return f", expected at least {lowest}" if lowest else f", expected at most {highest}" if highest else ""


def expected_of(outcome: Outcome) -> str:
    """Return what a met expectation finds: no row, a measured value within its arguments, or every row."""
    check = outcome.check
    if check.query or check.where:
        return "no such row"
    limits = [_limit(name, value) for name, value in (check.arguments | outcome.bounds).items() if value is not None]
    return ", ".join(limits) or "every row"


def _limit(name: str, value: Any) -> str:
    if name == "mostly":
        return f"at least {value:.4g} of the rows"
    return f"{name.removesuffix('_value').replace('_', ' ')} {describe_value(value)}"


def found_in(outcome: Outcome) -> str:
    """Return what was found, in the words of what was expected."""
    check = outcome.check
    if outcome.passed and (check.query or check.where):
        return "none"
    if outcome.passed and outcome.unexpected is not None and outcome.elements is not None:
        return f"{outcome.elements - outcome.unexpected:,} of {outcome.elements:,} rows"
    if outcome.observed is not None and not outcome.error:
        return describe_value(outcome.observed)
    return describe_outcome(outcome).removeprefix("Found: ")


def describe_rows(rows: Sequence[dict[str, Any]]) -> str:
    """Return the first rows as `name=value` pairs."""
    told = [" ".join(f"{name}={describe_value(value)}" for name, value in row.items()) for row in rows[:_SHOWN]]
    return " | ".join(told) + (" | …" if len(rows) > _SHOWN else "")


def describe_value(value: Any) -> str:
    """Return a value as text: fractions with ten digits, NULL by name."""
    if isinstance(value, float | Decimal):
        return f"{float(value):.10g}"
    return "NULL" if value is None else str(value)
