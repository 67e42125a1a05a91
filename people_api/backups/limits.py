"""Limits on the memory and disk that reading a backup may take, and how a file outside them is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from ingestion.errors import StepFailed
from ingestion.redact import one_line
from ingestion.settings import whole_number

_VARIABLE = "TRADEWINDS_BACKUP_MAX_BYTES"
_DEFAULT_BYTES = 2 * 2**30

HEADER_BYTES = 64 * 2**10  # for a file's header or a sidecar
BLOCK_BYTES = 64 * 2**20  # for one block, packed or unpacked, which is held in memory
RATIO = 100  # unpacked bytes per byte of the file; real tables have 5 to 20


class Damaged(Exception):
    """A file isn't a restorable backup; the message is the reason."""


def read_max_bytes() -> int:
    """Return `TRADEWINDS_BACKUP_MAX_BYTES`, by default 2 GiB; raises BadRequest when it isn't a size."""
    return whole_number(_VARIABLE, _DEFAULT_BYTES)


def check_size(size: int, max_bytes: int) -> None:
    """Raise Damaged when a file is too large."""
    if size > max_bytes:
        raise Damaged(f"has more than {max_bytes:,} bytes ({_VARIABLE})")


@contextmanager
def in_one_line(doing: str) -> Iterator[None]:
    """Convert errors of stores, files and the database into StepFailed; `doing` describes the operation."""
    try:
        yield
    except (Damaged, OSError) as error:
        raise StepFailed(f"{doing}: {one_line(error)}") from error
    except (SQLAlchemyError, psycopg.Error) as error:
        cause = getattr(error, "orig", None) or error
        # Without the message's detail, which may quote personal data.
        said = getattr(getattr(cause, "diag", None), "message_primary", None) or one_line(cause)
        raise StepFailed(f"{doing}: {said}") from error
