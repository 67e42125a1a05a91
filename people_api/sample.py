"""The generated sample, which goes only into a people database that nobody has configured or put anything into."""

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
# One transaction took all of the sample in: a row that is not of that transaction was added or changed since.
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
# Nobody adds a row between the look and the deed. Batches and the conditions above come to the tables in this same
# order, so none of them can hold one of the tables while it waits for us. No lighter lock would do: a writer that has
# begun could wait for us, and we for its row.
_LOCK = text("lock table employees, departments, jobs, rejected_rows, imports in access exclusive mode")


@contextmanager
def sample_people(home: Home, sample_files: Callable[[Home], dict[str, Path]]) -> Iterator[str]:
    """Yield the URL of the embedded people database, with the sample in it where there was nothing."""
    with people_database(home) as url:
        with open_engine(url) as engine:
            migrate(engine)
            fill_when_empty(engine, lambda: sample_files(home))
        yield url


def fill_when_empty(engine: Engine, sample_files: Callable[[], dict[str, Path]]) -> bool:
    """Take the sample in, whole or not at all, unless there is a row already; return whether it was."""

    def fill(connection: Connection) -> None:
        import_files(lambda work: work(connection), sample_files(), is_sample=True)

    return _do_alone(engine, _IS_EMPTY, fill)


def clear_sample(engine: Engine) -> bool:
    """Remove the sample where it is all there is, to make room for one's own rows; return whether it was."""

    def clear(connection: Connection) -> None:
        connection.execute(text("truncate employees, departments, jobs, rejected_rows, imports"))

    return _do_alone(engine, _IS_UNTOUCHED_SAMPLE, clear)


def _do_alone(engine: Engine, condition: TextClause, work: Callable[[Connection], None]) -> bool:
    """Do the work in one transaction that nobody else comes between, if the condition holds; return whether it did.

    The first look is a transaction of its own: two that looked, each with a read lock, would wait for each other.
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
