"""Back up a table: stream a snapshot of its rows into a draft, read it back, and put it in place."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

import fastavro
from sqlalchemy import Connection, Engine, func, select

from ingestion.redact import one_line
from people_api.backups.limits import Damaged, in_one_line, read_max_bytes
from people_api.backups.rows import read_rows
from people_api.backups.schemas import SCHEMAS, columns_of
from people_api.backups.sidecar import SUFFIX, Backup, folder_of, name_backup, write_sidecar
from people_api.database.models import Base

_BATCH_ROWS = 500  # held in memory; a rejected row may be long
_BLOCK_BYTES = 64_000


def back_up(engine: Engine, table: str, root: str) -> Backup:
    """Write a snapshot of a table's rows to its folder below `root`, a path or an s3:// URL.

    Raises BadRequest on an unknown table, StepFailed when the database or the store can't be used, or when a restore
    would refuse the file.
    """
    max_bytes, folder = read_max_bytes(), folder_of(table, root)
    with in_one_line(f"{table} can't be backed up to {folder.location()}"), folder.draft(f"{table}.avro") as draft:
        rows, taken_at = _write(engine, table, draft, max_bytes)
        with draft.open("rb") as file:
            sha256 = file_digest(file, "sha256").hexdigest()
        name = name_backup(table, taken_at, sha256)
        backup = Backup(table, name, folder.location(name), rows, sha256, taken_at)
        folder.add(draft, name)
        with folder.draft(name + SUFFIX) as sidecar:
            sidecar.write_text(write_sidecar(backup), encoding="utf-8")
            folder.add(sidecar, name + SUFFIX)
    return backup


def _write(engine: Engine, table: str, draft: Path, max_bytes: int) -> tuple[int, datetime]:
    """Write the file and read it back; return its row count and the snapshot's time."""
    snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True, "yield_per": _BATCH_ROWS}
    source = Base.metadata.tables[table]
    with engine.connect().execution_options(**snapshot) as connection:
        moment = select(func.count(), func.statement_timestamp()).select_from(source)
        rows, taken_at = connection.execute(moment).one()
        _write_packed(connection, table, draft, "deflate")
        try:
            _read_back(draft, table, rows, max_bytes)
        except Damaged:
            # Repetitive text packs better than a restore allows, so it is written unpacked.
            _write_packed(connection, table, draft, "null")
            _read_back(draft, table, rows, max_bytes)
    return rows, taken_at.astimezone(UTC)


def _write_packed(connection: Connection, table: str, draft: Path, codec: str) -> None:
    with draft.open("wb") as file:
        try:
            fastavro.writer(file, SCHEMAS[table], _stream(connection, table), codec=codec, sync_interval=_BLOCK_BYTES)
        except (TypeError, ValueError, AttributeError) as error:
            raise Damaged(f"a row doesn't fit the schema: {one_line(error)}") from error


def _stream(connection: Connection, table: str) -> Iterator[dict[str, Any]]:
    """Yield the rows by id, from a server-side cursor."""
    source, names = Base.metadata.tables[table], columns_of(table)
    columns = [source.c[name] for name in names]
    for row in connection.execute(select(*columns).order_by(source.c.id)):
        yield dict(zip(names, row, strict=True))


def _read_back(draft: Path, table: str, rows: int, max_bytes: int) -> None:
    with draft.open("rb") as file:
        deque(read_rows(file, table, rows, max_bytes), maxlen=0)
