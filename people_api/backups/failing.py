"""Report every failure of a backup as one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from ingestion.errors import StepFailed
from ingestion.redact import one_line
from people_api.backups.limits import Damaged


@contextmanager
def in_one_line(doing: str) -> Iterator[None]:
    """Convert errors of stores, files and the database into StepFailed; `doing` describes the operation."""
    try:
        yield
    except (Damaged, OSError) as error:
        raise StepFailed(f"{doing}: {one_line(error)}") from error
    except (SQLAlchemyError, psycopg.Error) as error:
        raise StepFailed(f"{doing}: {_said_by_database(error)}") from error


def _said_by_database(error: SQLAlchemyError | psycopg.Error) -> str:
    """Return the message without its detail, which may quote personal data."""
    cause = getattr(error, "orig", None) or error
    return getattr(getattr(cause, "diag", None), "message_primary", None) or one_line(cause)
