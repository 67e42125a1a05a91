"""Northwind's operational database, or its sample on the embedded Postgres."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ingestion.samples.defaults import sample_database
from ingestion.settings import Home, database_url, source_setting
from ingestion.sources.base import Described
from ingestion.sources.postgres import PostgresReading, open_postgres


class Northwind(Described):
    """All tables of one Postgres schema (`sources.northwind.schema`), found by reflection."""

    name = "northwind"
    area = "postgres"
    raw_schema = "raw_northwind"

    def is_sample(self, home: Home) -> bool:
        return database_url(self.name) is None

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path) -> Iterator[PostgresReading]:
        with ExitStack() as stack:
            url = database_url(self.name) or stack.enter_context(sample_database(home))
            yield stack.enter_context(
                open_postgres(
                    url,
                    schema=source_setting(self.name, "schema", "public"),
                    exclude=source_setting(self.name, "exclude_tables", []),
                    control_totals=self.control_totals,
                )
            )
