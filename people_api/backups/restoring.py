"""Restore a table: check the whole file in a private copy before opening the database."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from tempfile import TemporaryFile
from typing import BinaryIO

from sqlalchemy import Engine

from ingestion.errors import BadRequest, StepFailed
from ingestion.stores import Store as Folder
from people_api.backups.failing import in_one_line
from people_api.backups.limits import HEADER_BYTES, Budget, Damaged
from people_api.backups.replacing import replace_rows
from people_api.backups.rows import read_rows
from people_api.backups.schemas import check_table
from people_api.backups.sidecar import SUFFIX, Backup, is_name, newest_first, read_sidecar
from people_api.backups.store import Store

_CHUNK_BYTES = 2**20


def list_backups(store: Store, table: str) -> list[Backup]:
    """Return a table's backups, newest first; raises StepFailed when a sidecar can't be read."""
    check_table(table)
    folder = store.folder(table)
    with in_one_line(f"the backups in {folder.location()} can't be listed"):
        names = newest_first(table, folder.names())
    return [_said_of(folder, table, name) for name in names]


def restore(engine: Engine, table: str, store: Store, name: str | None = None) -> Backup:
    """Replace a table's rows by those of a backup in the store, by default the newest.

    Raises BadRequest on an invalid table or name, StepFailed when the file is missing, damaged or another table's,
    Refused when foreign keys or unique ids would break. Each leaves the table unchanged.
    """
    check_table(table)
    folder = store.folder(table)
    if name is None:
        with in_one_line(f"{table} can't be restored"):
            names = newest_first(table, folder.names())
        if not names:
            raise StepFailed(f"{table} can't be restored: there is no backup in {folder.location()}")
        name = names[0]
    elif not is_name(table, name):
        raise BadRequest(f"{name!r} is no name of a backup of {table}")
    return restore_from(engine, table, folder, name)


def restore_from(engine: Engine, table: str, folder: Folder, name: str) -> Backup:
    """Do the same as `restore` with a file of any name in any folder; the caller checks who may name one."""
    check_table(table)
    budget, backup = Budget.from_environment(), _said_of(folder, table, name)
    with in_one_line(f"{table} can't be restored from {backup.location}"), _own_copy(folder, backup, budget) as copy:
        deque(read_rows(copy, table, backup.rows, budget), maxlen=0)
        replace_rows(engine, table, lambda: read_rows(copy, table, backup.rows, budget))
    return backup


def _said_of(folder: Folder, table: str, name: str) -> Backup:
    """Return the backup's sidecar; raises StepFailed when it is missing or invalid."""
    location = folder.location(name)
    with in_one_line(f"{location} can't be used"):
        try:
            with folder.open(name + SUFFIX) as file:
                text = file.read(HEADER_BYTES)
        except FileNotFoundError as error:
            raise Damaged(f"its sidecar {name}{SUFFIX} is missing") from error
        return read_sidecar(text, table, name, location)


@contextmanager
def _own_copy(folder: Folder, backup: Backup, budget: Budget) -> Iterator[BinaryIO]:
    """Yield a copy of the file that can't change between check and use; raises Damaged on a wrong size or hash."""
    with TemporaryFile() as copy:
        digest = sha256()
        try:
            with folder.open(backup.name) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    copy.write(chunk)
                    budget.check_size(copy.tell())
        except FileNotFoundError as error:
            raise Damaged("the file is missing") from error
        if digest.hexdigest() != backup.sha256:
            raise Damaged("its SHA-256 isn't the one in its sidecar")
        yield copy
