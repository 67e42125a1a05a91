"""The generated sample, which goes only into a people database that nobody has configured or put anything into."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from ingestion.settings import Home
from people_api.database import migrate, open_engine, people_database
from people_api.importing import import_files

_IS_EMPTY = text(
    """
    select not exists (select from departments) and not exists (select from jobs)
        and not exists (select from employees) and not exists (select from rejected_rows)
    """
)
# The sample as it was taken in, and nothing more.
_IS_UNTOUCHED_SAMPLE = text(
    """
    select bool_and(is_sample) and sum(accepted_count) = (
        select count(*) from (
            select id from departments union all select id from jobs union all select id from employees
        ) as stored
    ) and sum(rejected_count) = (select count(*) from rejected_rows)
    from imports
    """
)


@contextmanager
def sample_people(home: Home, sample_files: Callable[[Home], dict[str, Path]]) -> Iterator[str]:
    """Yield the URL of the embedded people database, with the sample in it where there was nothing."""
    with people_database(home) as url:
        with open_engine(url) as engine:
            migrate(engine)
            fill_when_empty(engine, lambda: sample_files(home))
        yield url


def fill_when_empty(engine: Engine, sample_files: Callable[[], dict[str, Path]]) -> bool:
    """Take the sample in, whole or not at all, unless there is a row already; say whether it was."""
    with engine.begin() as connection:
        _have_to_oneself(connection)
        is_empty = connection.execute(_IS_EMPTY).scalar_one()
        if is_empty:
            import_files(lambda work: work(connection), sample_files(), is_sample=True)
    return is_empty


def clear_sample(engine: Engine) -> bool:
    """Remove the sample where it is all there is, to make room for one's own rows; say whether it was."""
    with engine.begin() as connection:
        _have_to_oneself(connection)
        is_sample = bool(connection.execute(_IS_UNTOUCHED_SAMPLE).scalar_one())
        if is_sample:
            connection.execute(text("truncate employees, departments, jobs, rejected_rows, imports"))
    return is_sample


def _have_to_oneself(connection: Connection) -> None:
    connection.execute(text("select pg_advisory_xact_lock(hashtext('tradewinds people sample'))"))
