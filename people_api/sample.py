"""The generated sample, which is loaded only into the embedded people database while that is empty."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, TextClause, text

from ingestion.settings import Home
from people_api.database import migrate, open_engine, people_database
from people_api.importing import import_files

_IS_EMPTY = text(
    """
    select not exists (select from employees) and not exists (select from departments)
        and not exists (select from jobs) and not exists (select from rejected_rows)
    """
)
# One transaction inserted the whole sample: a row from another transaction was added or changed later.
_IS_UNTOUCHED_SAMPLE = text(
    """
    with stored as (
        select xmin as writer from employees union all select xmin from departments union all select xmin from jobs
        union all select xmin from rejected_rows
    )
    select coalesce(bool_and(is_sample), false)
        and sum(accepted_count + rejected_count) = (select count(*) from stored)
        and not exists (select from stored where writer not in (select xmin from imports))
    from imports
    """
)
# Prevents inserts between check and work. Batches and the conditions above lock the tables in this same order, so none
# of them can hold a table while it waits for us. A lighter lock could deadlock: a writer that has begun could wait for
# us, and we for its row.
_LOCK = text("lock table employees, departments, jobs, rejected_rows, imports in access exclusive mode")


@contextmanager
def sample_people(home: Home, sample_files: Callable[[Home], dict[str, Path]]) -> Iterator[str]:
    """Yield the URL of the embedded people database, filled with the sample if it was empty."""
    with people_database(home) as url:
        with open_engine(url) as engine:
            migrate(engine)
            fill_when_empty(engine, lambda: sample_files(home))
        yield url


def fill_when_empty(engine: Engine, sample_files: Callable[[], dict[str, Path]]) -> bool:
    """Insert the whole sample in one transaction if there are no rows; return whether it did."""

    def fill(connection: Connection) -> None:
        import_files(lambda work: work(connection), sample_files(), is_sample=True)

    return _do_alone(engine, _IS_EMPTY, fill)


def clear_sample(engine: Engine) -> bool:
    """Remove the sample if there are no other rows, to make room for your own; return whether it did."""

    def clear(connection: Connection) -> None:
        connection.execute(text("truncate employees, departments, jobs, rejected_rows, imports"))

    return _do_alone(engine, _IS_UNTOUCHED_SAMPLE, clear)


def _do_alone(engine: Engine, condition: TextClause, work: Callable[[Connection], None]) -> bool:
    """Do the work in one transaction with exclusive locks if the condition holds; return whether it did.

    The first check is a separate transaction: two processes that checked under read locks would deadlock.
    """
    with engine.begin() as connection:
        if not connection.execute(condition).scalar_one():
            return False
    with engine.begin() as connection:
        connection.execute(_LOCK)
        if not connection.execute(condition).scalar_one():
            return False
        work(connection)
    return True
