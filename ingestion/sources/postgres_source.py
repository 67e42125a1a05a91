"""A source that is one schema of a Postgres database."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import StepFailed
from ingestion.settings import Home, database_url, setting_variable, source_names, source_setting
from ingestion.sources.base import Source
from ingestion.sources.postgres import PostgresReading, open_postgres


@dataclass(frozen=True)
class PostgresSource(Source):
    """The tables of one Postgres schema, or those in `sources.<name>.tables`, found by reflection, in one snapshot."""

    name: str
    raw_schema: str
    area: str = "postgres"
    left_out: tuple[str, ...] = ()  # the tables that aren't read unless the setting says otherwise

    def is_sample(self, home: Home) -> bool:
        return database_url(self.name) is None

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path) -> Iterator[PostgresReading]:
        """Open the database, or the sample's; raises StepFailed when it can't be reached or lacks a named table."""
        with ExitStack() as stack:
            url = database_url(self.name)
            if url is None:
                self.refuse_sample(home)
                from ingestion.samples.defaults import sample_database

                url = stack.enter_context(sample_database(home))
            schema, only = str(source_setting(self.name, "schema", "public")), source_names(self.name, "tables")
            excluded, views = source_names(self.name, "exclude_tables"), source_names(self.name, "views") or ()
            reading = stack.enter_context(
                open_postgres(
                    url,
                    schema=schema,
                    exclude=self.left_out if excluded is None else excluded,
                    control_totals=self.control_totals,
                    only=only,
                    views=views,
                )
            )
            if missing := [table for table in only or [] if table not in reading.schemas()]:
                raise StepFailed(f"schema {schema} of the database has no table {', '.join(missing)}")
            reading.warnings = [
                f"{setting_variable(self.name, name)} names tables that don't exist: {', '.join(unknown)}"
                for name, names in (("exclude_tables", excluded or ()), ("views", views))
                if (unknown := [one for one in names if one in reading.unknown])
            ]
            yield reading
