"""Compare the tables of a database with those that the catalogue describes, before anything is read."""

import re
from collections.abc import Collection

import pyarrow as pa

from ingestion.catalogue import Table
from ingestion.errors import StepFailed
from ingestion.landing import Manifest
from ingestion.settings import setting_variable

# Types by kind: first as declared (DuckDB's names), then as landed (Arrow's).
_KINDS = {
    "a number": (
        re.compile(r"((tiny|small|big|huge)?int|integer|decimal|numeric|real|float|double)\b.*", re.IGNORECASE),
        re.compile(r"u?int|float|double|decimal"),
    ),
    "a date": (re.compile(r"(date|timestamp)\b.*", re.IGNORECASE), re.compile(r"date|timestamp")),
}
# Tables with their columns' Arrow types.
Columns = dict[str, dict[str, str]]


def refuse_misshapen(
    source: str, described: list[Table], schemas: dict[str, pa.Schema], unread: dict[str, str], before: Manifest | None
) -> None:
    """Raise StepFailed naming every missing or mistyped table and column, except those of the landed day before."""
    now = {table: {field.name: str(field.type) for field in schema} for table, schema in schemas.items()}
    found = describe_misshapen(source, described, now, unread)
    if found and before:
        landed = {name: {one.name: one.type for one in table.columns} for name, table in before.tables.items()}
        accepted = describe_misshapen(source, described, landed, unread)
        found = [one for one in found if one not in accepted]
    if found:
        raise StepFailed(f"{source} isn't the database that the models read", findings=found)


def describe_misshapen(
    source: str, described: list[Table], found: Columns, unread: dict[str, str] | None = None
) -> list[str]:
    """Return every missing table and column, and every column of another kind than is declared."""
    lines = []
    for table in described:
        if table.name not in found:
            lines.append(f"table {table.name} is missing{_hint(source, table.name, found, unread or {})}")
            continue
        columns = found[table.name]
        for name in table.columns:
            column, wanted = f"{table.name}.{name}", _kind(table.types.get(name))
            if name not in columns:
                lines.append(f"{column} is missing{_alike(name, columns)}")
            elif wanted and not _KINDS[wanted][1].match(columns[name]):
                lines.append(f"{column} is {columns[name]}, not {wanted}")
    return lines


def _hint(source: str, table: str, found: Columns, unread: dict[str, str]) -> str:
    if table in unread:
        return f" (the {unread[table]} of this name is read if {setting_variable(source, 'views')} names it)"
    return _alike(table, [*found, *unread])


def _alike(name: str, names: Collection[str]) -> str:
    """Return the names that differ in case and underscores only."""
    alike = [one for one in names if _plain(one) == _plain(name)]
    return f" (there is {', '.join(alike)})" if alike else ""


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _kind(declared: str | None) -> str | None:
    return next((kind for kind, (named, _) in _KINDS.items() if declared and named.fullmatch(declared)), None)
