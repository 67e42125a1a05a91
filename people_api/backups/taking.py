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
from ingestion.stores import Store as Folder
from people_api.backups.failing import in_one_line
from people_api.backups.limits import Budget, Damaged
from people_api.backups.rows import read_rows
from people_api.backups.schemas import SCHEMAS, check_table, columns_of
from people_api.backups.sidecar import SUFFIX, Backup, name_backup, write_sidecar
from people_api.backups.store import Store
from people_api.database.models import Base

_BATCH_ROWS = 500  # held in memory; a rejected row may be long
_BLOCK_BYTES = 64_000


def back_up(engine: Engine, table: str, store: Store) -> Backup:
    """Write a snapshot of a table's rows to the store.

    Raises BadRequest on an unknown table, StepFailed when the database or the store can't be used, or when a restore
    would refuse the file.
    """
    check_table(table)
    budget, folder = Budget.from_environment(), store.folder(table)
    with in_one_line(f"{table} can't be backed up to {folder.location()}"), folder.draft(f"{table}.avro") as draft:
        rows, taken_at = _write(engine, table, draft, budget)
        with draft.open("rb") as file:
            sha256 = file_digest(file, "sha256").hexdigest()
        name = name_backup(table, taken_at, sha256)
        backup = Backup(table, name, folder.location(name), rows, sha256, taken_at)
        folder.add(draft, name)
        _put_sidecar(folder, backup)
    return backup


def _write(engine: Engine, table: str, draft: Path, budget: Budget) -> tuple[int, datetime]:
    """Write the file and read it back; return its row count and the snapshot's time."""
    snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True, "yield_per": _BATCH_ROWS}
    source = Base.metadata.tables[table]
    with engine.connect().execution_options(**snapshot) as connection:
        moment = select(func.count(), func.statement_timestamp()).select_from(source)
        rows, taken_at = connection.execute(moment).one()
        _write_packed(connection, table, draft, "deflate")
        try:
            _read_back(draft, table, rows, budget)
        except Damaged:
            # Repetitive text packs better than a restore allows, so it is written unpacked.
            _write_packed(connection, table, draft, "null")
            _read_back(draft, table, rows, budget)
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


def _read_back(draft: Path, table: str, rows: int, budget: Budget) -> None:
    with draft.open("rb") as file:
        deque(read_rows(file, table, rows, budget), maxlen=0)


def _put_sidecar(folder: Folder, backup: Backup) -> None:
    name = backup.name + SUFFIX
    with folder.draft(name) as draft:
        draft.write_text(write_sidecar(backup), encoding="utf-8")
        folder.add(draft, name)
