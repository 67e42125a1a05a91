"""Connect to the people database, and migrate its schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from ingestion.errors import StepFailed
from ingestion.redact import one_line

_MIGRATIONS = Path(__file__).parent / "migrations"
# Session timeouts, so that a forgotten statement can't lock a table for ever.
_SESSION = "-c timezone=UTC -c statement_timeout={timeout} -c lock_timeout={timeout}"


@contextmanager
def open_engine(url: str, *, connections: int = 1, timeout_seconds: int = 0) -> Iterator[Engine]:
    """Open a pool of at most `connections`; a statement may take `timeout_seconds`, 0 for no limit."""
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        pool_timeout=timeout_seconds or 30,
        connect_args={"options": _SESSION.format(timeout=timeout_seconds * 1000)},
    )
    try:
        yield engine
    finally:
        engine.dispose()


def migrate(engine: Engine) -> None:
    """Migrate the database's schema to models.py; concurrent migrations wait for each other.

    Raises StepFailed when the database can't be reached or changed.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(hashtext('tradewinds people migrate'))"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise StepFailed(f"the people database can't be migrated: {one_line(error.orig or error)}") from error
