"""Restore a table: check the whole file in a private copy before opening the database."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from tempfile import TemporaryFile
from typing import BinaryIO

from sqlalchemy import Engine

from ingestion.errors import BadRequest, StepFailed
from ingestion.stores import Store
from people_api.backups.limits import HEADER_BYTES, Damaged, check_size, in_one_line, read_max_bytes
from people_api.backups.replacing import replace_rows
from people_api.backups.rows import read_rows
from people_api.backups.sidecar import SUFFIX, Backup, folder_of, is_name, read_sidecar

_CHUNK_BYTES = 2**20


def restore(engine: Engine, table: str, root: str, name: str | None = None) -> Backup:
    """Replace a table's rows by those of a backup in its folder below `root`, by default the newest.

    Raises BadRequest on an invalid table or name, StepFailed when the file is missing, damaged or another table's,
    Refused when foreign keys or unique ids would break. Each leaves the table unchanged.
    """
    folder = folder_of(table, root)
    if name is None:
        with in_one_line(f"{table} can't be restored"):
            # Those with a sidecar; a table's names sort by time.
            names = {name.removesuffix(SUFFIX) for name in folder.names() if name.endswith(SUFFIX)}
        name = max((name for name in names if is_name(table, name)), default=None)
        if name is None:
            raise StepFailed(f"{table} can't be restored: there is no backup in {folder.location()}")
    elif not is_name(table, name):
        raise BadRequest(f"{name!r} is no name of a backup of {table}")
    return restore_from(engine, table, folder, name)


def restore_from(engine: Engine, table: str, folder: Store, name: str) -> Backup:
    """Do the same as `restore` with a file of any name in any folder; the caller checks table and name."""
    max_bytes, location = read_max_bytes(), folder.location(name)
    with in_one_line(f"{location} can't be used"):
        backup = _read_sidecar(folder, table, name)
    with in_one_line(f"{table} can't be restored from {location}"), _own_copy(folder, backup, max_bytes) as copy:
        deque(read_rows(copy, table, backup.rows, max_bytes), maxlen=0)
        replace_rows(engine, table, lambda: read_rows(copy, table, backup.rows, max_bytes))
    return backup


def _read_sidecar(folder: Store, table: str, name: str) -> Backup:
    try:
        with folder.open(name + SUFFIX) as file:
            text = file.read(HEADER_BYTES)
    except FileNotFoundError as error:
        raise Damaged(f"its sidecar {name}{SUFFIX} is missing") from error
    return read_sidecar(text, table, name, folder.location(name))


@contextmanager
def _own_copy(folder: Store, backup: Backup, max_bytes: int) -> Iterator[BinaryIO]:
    """Yield a copy of the file that can't change between check and use; raises Damaged on a wrong size or hash."""
    with TemporaryFile() as copy:
        digest = sha256()
        try:
            with folder.open(backup.name) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    copy.write(chunk)
                    check_size(copy.tell(), max_bytes)
        except FileNotFoundError as error:
            raise Damaged("the file is missing") from error
        if digest.hexdigest() != backup.sha256:
            raise Damaged("its SHA-256 isn't the one in its sidecar")
        yield copy
