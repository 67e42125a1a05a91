"""The people database: your own, or the one that `tradewinds people` keeps on the embedded Postgres."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import StepFailed
from ingestion.landing import Manifest
from ingestion.settings import Home, people_database_url
from ingestion.sources.base import Source
from ingestion.sources.cursors import cursors_of
from ingestion.sources.postgres import PostgresReading, open_postgres

_EMBEDDED_DATABASE = "people"


class People(Source):
    """Departments, jobs, employees and rejected rows of the people database (`PEOPLE_DATABASE_URL`)."""

    @property
    def place(self) -> str | None:
        return people_database_url()

    def is_sample(self, home: Home) -> bool:
        """Ask the embedded database, which may also hold your own rows: it records which imports were the sample's."""
        if self.place:
            return False
        with people_database(home) as url, psycopg.connect(url) as connection:
            return connection.execute("select coalesce(bool_and(is_sample), false) from imports").fetchall()[0][0]

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path, before: Manifest | None = None) -> Iterator[PostgresReading]:
        with ExitStack() as stack:
            url = stack.enter_context(people_database(home))
            # Only the described tables: the database also holds API keys.
            totals = self.control_totals
            cursors = cursors_of(self, home, before)
            reading = stack.enter_context(
                open_postgres(url, schema="public", only=totals, control_totals=totals, cursors=cursors)
            )
            missing = [table for table in totals if table not in reading.schemas()]
            if missing:
                raise StepFailed(f"the people database lacks {', '.join(missing)}", "tradewinds people migrate")
            yield reading


@contextmanager
def people_database(home: Home) -> Iterator[str]:
    """Yield the URL of the people database; an embedded one is created if it is missing, and runs during the block."""
    configured = people_database_url()
    if configured:
        yield configured
        return
    server = EmbeddedPostgres(home.root)
    with server.running():
        server.ensure_database(_EMBEDDED_DATABASE)
        yield server.url(_EMBEDDED_DATABASE)
