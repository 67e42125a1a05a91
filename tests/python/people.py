"""A people database as the people service would leave it, filled without the service."""

import csv
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg

from people_api.database.connect import migrate, open_engine

_COLUMNS = {
    "departments": ("id", "name"),
    "jobs": ("id", "name"),
    "employees": ("id", "name", "hiring_date", "department_id", "job_id"),
}
_REJECTED = ("batch_id", "table_name", "source", "row_number", "payload", "reasons")


def make_people(url: str, files: dict[str, Path], *, with_rejects: bool = False) -> None:
    """Make the tables and fill them from CSVs without a header; faulty rows are left out, or logged as rejects."""
    with open_engine(url) as engine:
        migrate(engine)
    known: dict[str, set[str]] = {}
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for number, (table, path) in enumerate(files.items()):
            good, bad = [], []
            for line, row in enumerate(read_rows(path, table), start=1):
                reasons = _reasons(row, known)
                if reasons:
                    bad.append((UUID(int=number), table, path.name, line, ",".join(row.values()), reasons))
                else:
                    good.append(tuple(row.values()))
            known[table] = {key for key, *_ in good}
            _copy(cursor, table, _COLUMNS[table], good)
            if with_rejects:
                _copy(cursor, "rejected_rows", _REJECTED, bad)


def read_rows(path: Path, table: str) -> Iterator[dict[str, str]]:
    """Yield a file's rows by column, as text."""
    with path.open(newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines, fieldnames=_COLUMNS[table])


def _reasons(row: dict[str, str], known: dict[str, set[str]]) -> list[str]:
    reasons = [f"{column}: missing" for column, value in row.items() if not value]
    for column, parent in (("department_id", "departments"), ("job_id", "jobs")):
        if row.get(column) and row[column] not in known[parent]:
            reasons.append(f"{column}: {row[column]} is unknown")
    return reasons


def _copy(cursor: psycopg.Cursor, table: str, columns: tuple[str, ...], rows: list[tuple]) -> None:
    with cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)
