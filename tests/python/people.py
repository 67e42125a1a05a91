"""The people tables as tests fill them, without the service; and Avro files made by hand."""

import csv
import hashlib
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from people_api.backups import TABLES
from people_api.database import migrate, open_engine

if TYPE_CHECKING:
    from tests.python.conftest import Database

SYNC = b"sixteen bytes of"
ODD_NAMES = ("Zoë 'Q' \"x\"", "tab\tnew\nline\\.", "数据 🚢", "x" * 255, " ", "NULL", "\\N", "", "{a,b}")
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
BATCHES = UUID(int=0), UUID(int=2**128 - 1)
_COLUMNS = {
    "departments": ("id", "name"),
    "jobs": ("id", "name"),
    "employees": ("id", "name", "hiring_date", "department_id", "job_id"),
}
_REJECTED = ("batch_id", "table_name", "source", "row_number", "payload", "reasons")


def fill(database: "Database") -> None:
    """Make the tables, and rows in them whose values are as odd as the constraints allow."""
    with open_engine(database.url) as engine:
        migrate(engine)
    with psycopg.connect(database.url) as connection, connection.cursor() as cursor:
        named = [(number, name, number % 2 == 0) for number, name in enumerate(ODD_NAMES, 1)]
        for table in ("departments", "jobs"):
            cursor.executemany(f"insert into {table} values (%s, %s, %s)", [*named, (2**31 - 1, "last", True)])
        moments = (FIRST, LAST, datetime(2021, 7, 27, 16, 2, 8, 1, tzinfo=UTC))
        cursor.executemany(
            "insert into employees values (%s, %s, %s, %s, %s, %s)",
            [(row, name, moments[row % 3], row, 2**31 - 1, row % 3 > 0) for row, name, _ in named],
        )
        cursor.executemany(
            "insert into rejected_rows (batch_id, table_name, source, row_number, payload, reasons, rejected_at) "
            "values (%s, 'employees', %s, %s, %s, %s, %s)",
            [
                (BATCHES[row % 2], "api", 2**63 - row, name, [] if row == 1 else [name, "id: missing"], LAST)
                for row, name, _ in named
            ],
        )


def contents(database: "Database") -> dict[str, list[tuple]]:
    """Return the rows of every table, by id."""
    return {table: database.query(f"select * from {table} order by id") for table in TABLES}


def rehash(path: Path, content: bytes, **said: object) -> Path:
    """Give a backup another content, and its sidecar the hash that belongs to it and whatever else is said."""
    path.write_bytes(content)
    sidecar = path.with_name(path.name + ".json")
    facts = json.loads(sidecar.read_text()) | {"sha256": hashlib.sha256(content).hexdigest()} | said
    sidecar.write_text(json.dumps(facts))
    return path


def number(value: int) -> bytes:
    """Return a number as Avro writes it: zigzag, seven bits a byte, the lowest first."""
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return number(len(raw)) + raw


def header(schema: object, codec: str = "null") -> bytes:
    """Return the beginning of a file: magic, schema, codec, sync marker."""
    entries = {"avro.schema": json.dumps(schema), "avro.codec": codec}
    return b"Obj\x01" + number(2) + b"".join(text(k) + text(v) for k, v in entries.items()) + number(0) + SYNC


def block(count: int, data: bytes) -> bytes:
    return number(count) + number(len(data)) + data + SYNC


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def named_row(row: int, name: str | bytes) -> bytes:
    """Return a row of departments or jobs."""
    return number(row) + text(name) + b"\x01"


def rejected_row(row: int, key: int, batch: str = str(BATCHES[0]), reasons: bytes = b"\0", at: int = 0) -> bytes:
    """Return a row of rejected_rows; its reasons and its time as Avro has them."""
    return number(row) + text(batch) + text("jobs") + text("api") + number(key) + text("{}") + reasons + number(at)


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
