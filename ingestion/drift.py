"""Compare a day's tables, columns and row counts with the landed day before it."""

import pyarrow as pa

from ingestion.errors import StepFailed
from ingestion.landing import Manifest


def describe_drift(before: Manifest, after: dict[str, pa.Schema]) -> list[str]:
    """Return every dropped table, and every dropped or retyped column with both types.

    New tables and columns aren't drift: raw adds them.
    """
    found = []
    for table, landed in before.tables.items():
        if table not in after:
            found.append(f"table {table} → gone")
            continue
        types = {field.name: str(field.type) for field in after[table]}
        for column in landed.columns:
            now = types.get(column.name, "gone")
            if now != column.type:
                found.append(f"{table}.{column.name}: {column.type} → {now}")
    return found


def refuse_drift(before: Manifest | None, after: dict[str, pa.Schema], *, source: str, is_sample: bool) -> None:
    """Raise StepFailed when a source drifted since it last landed; a sample isn't compared with a real source."""
    if before is None or before.is_sample != is_sample:
        return
    drift = describe_drift(before, after)
    if drift:
        raise StepFailed(
            f"{source} has changed since {before.run_date} (before → after)",
            findings=drift,
            hint="if this is intended, add --accept-drift",
        )


def refuse_missing_fields(missing: list[str]) -> None:
    """Raise StepFailed when no row has a declared field, because its column would be empty."""
    if missing:
        raise StepFailed(
            f"fields that are declared are in no row: {', '.join(missing)}",
            hint="if this is intended, add --accept-drift",
        )


def refuse_shrink(before: Manifest | None, after: dict[str, int], *, source: str, is_sample: bool) -> None:
    """Raise StepFailed when a table lost half of its rows or more: history would end the missing rows."""
    if before is None or before.is_sample != is_sample:
        return
    shrunk = [
        f"{table}: {before.tables[table].rows:,} → {rows:,} rows"
        for table, rows in sorted(after.items())
        if table in before.tables and before.tables[table].rows > 0 and 2 * rows <= before.tables[table].rows
    ]
    if shrunk:
        raise StepFailed(
            f"{source} has shrunk since {before.run_date} (before → after)",
            findings=shrunk,
            hint="if this is intended, add --accept-shrink",
        )
