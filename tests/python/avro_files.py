"""The people tables as tests fill them, and Avro files made by hand."""

import hashlib
import json
import zlib
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg

from ingestion.embedded.postgres import EmbeddedPostgres
from people_api.backups import TABLES
from people_api.database import migrate, open_engine
from tests.python.homes import copy_database, template_database
from tests.python.sandbox import Database

SYNC = b"sixteen bytes of"
ODD_NAMES = ("Zoë 'Q' \"x\"", "tab\tnew\nline\\.", "数据 🚢", "x" * 255, " ", "NULL", "\\N", "", "{a,b}")
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
BATCHES = UUID(int=0), UUID(int=2**128 - 1)


def make_odd_people(server: EmbeddedPostgres) -> Database:
    """Make a people database whose values are as odd as the constraints allow."""

    def make(url: str) -> None:
        with open_engine(url) as engine:
            migrate(engine)
        fill(Database(url))

    return Database(copy_database(server, template_database(server, "template_people_odd", make)))


def fill(database: Database) -> None:
    """Fill the empty tables with rows whose values are as odd as the constraints allow."""
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


def contents(database: Database) -> dict[str, list[tuple]]:
    """Return the rows of every table, by id."""
    with psycopg.connect(database.url) as connection:
        return {table: connection.execute(f"select * from {table} order by id").fetchall() for table in TABLES}


def backups_in(root: str, table: str) -> dict[str, dict]:
    """Return the sidecars of a table's backups by name, newest first."""
    found = sorted((Path(root) / table).glob("*.avro.json"), reverse=True)
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in found}


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
