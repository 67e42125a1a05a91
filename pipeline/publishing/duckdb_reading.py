"""Run a reader's query on a published DuckDB file; it can access nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb

from ingestion.errors import BadRequest, StepFailed
from ingestion.redact import one_line, redact
from ingestion.session import open_session
from pipeline.publishing.base import ONE_QUERY, Answer
from pipeline.publishing.limits import Limits

# No other files, no extensions, no variables of this program, and no way to change that.
_SETTINGS = ("enable_external_access = false", "python_enable_replacements = false", "lock_configuration = true")
# For a query with limits: a part of the machine, and of the disk.
_SHARE = ("autoinstall_known_extensions = false", "max_temp_directory_size = '1GB'", "threads = 2")
_FETCHED_ROWS = 2048
_HOLDER = re.compile(r'lock on file "(.+)": Conflicting lock is held in (.+ \(PID \d+\))')


@contextmanager
def answering(path: Path, statement: str, limits: Limits | None = None) -> Iterator[Answer]:
    """Open a query's rows; raises BadRequest when it isn't one query or uses an unknown name."""
    try:
        with (
            open_session(path, read_only=True) as connection,
            limits.stopping(connection.interrupt) if limits else nullcontext(),
        ):
            for setting in (*(_SHARE if limits else ()), *_SETTINGS):
                connection.execute(f"set {setting}")
            asked = connection.extract_statements(statement)
            if [found.type for found in asked] != [duckdb.StatementType.SELECT]:
                raise BadRequest(ONE_QUERY)
            result = connection.execute(asked[0])
            yield Answer([name for name, *_ in result.description], _rows(result))
    except (duckdb.ProgrammingError, duckdb.PermissionException) as error:
        raise BadRequest(f"the query can't be answered: {reason_of(error)}") from error
    except duckdb.OutOfMemoryException as error:
        raise StepFailed("the query needs more memory or disk than a reader may use; ask for less") from error
    except duckdb.Error as error:
        if limits and isinstance(error, duckdb.InterruptException):
            raise StepFailed(limits.overrun) from error
        raise StepFailed(f"the query failed: {reason_of(error)}") from error


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple]:
    while rows := result.fetchmany(_FETCHED_ROWS):
        yield from rows


def reason_of(error: Exception) -> str:
    """Return an error's message without the marked position, or who holds a file."""
    if holder := _HOLDER.search(str(error)):
        file, program = map(redact, holder.groups())
        return f"{program} has {file} open for writing; open it read-only there, or close it"
    return one_line(Exception(str(error).partition("\n\nLINE ")[0]))


def is_held(path: Path) -> bool:
    """Return whether another process has a file open for writing, so that nobody can read it."""
    try:
        open_session(path, read_only=True).close()
    except duckdb.IOException as error:
        return _HOLDER.search(str(error)) is not None
    return False
