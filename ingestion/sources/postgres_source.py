"""A source that is one schema of a Postgres database."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import BadRequest, StepFailed
from ingestion.landing import Manifest
from ingestion.settings import Home, database_url, read_postgres_url, setting_variable, source_setting
from ingestion.sources.base import Source
from ingestion.sources.cursors import cursors_of, listed_tables, source_names
from ingestion.sources.duckdb_types import duckdb_types
from ingestion.sources.looking import Looked, check_names, look_at_table
from ingestion.sources.postgres import PostgresReading, open_postgres
from ingestion.sql import name_of

_PRIMARY_KEYS = """
select relation.relname, attribute.attname
from pg_catalog.pg_index as index
inner join pg_catalog.pg_class as relation on relation.oid = index.indrelid
inner join pg_catalog.pg_namespace as namespace on namespace.oid = relation.relnamespace
cross join lateral unnest(index.indkey::int2[]) with ordinality as part (attnum, place)
inner join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = relation.oid and attribute.attnum = part.attnum
where index.indisprimary and namespace.nspname = $1
order by relation.relname, part.place
"""


@dataclass(frozen=True)
class PostgresSource(Source):
    """The tables in `sources.<name>.tables`, or all of a schema that comes with the project, in one snapshot."""

    def __post_init__(self) -> None:
        if not self.settings.has_sample and not listed_tables(self.name, has_sample=False):
            raise BadRequest(f"{self.settings.section}: expected tables, a list of their names")

    @property
    def place(self) -> str | None:
        return database_url(self.name)

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path, before: Manifest | None = None) -> Iterator[PostgresReading]:
        """Open the database, or the sample's; raises StepFailed when it can't be reached or lacks a named table."""
        schema = str(source_setting(self.name, "schema", "public"))
        only = listed_tables(self.name, self.settings.has_sample)
        excluded, views = source_names(self.name, "exclude_tables"), source_names(self.name, "views") or ()
        with ExitStack() as stack:
            url = stack.enter_context(self.located(home))
            reading = stack.enter_context(
                open_postgres(
                    url,
                    schema=schema,
                    exclude=self.settings.entries.get("left_out", ()) if excluded is None else excluded,
                    control_totals=self.control_totals,
                    only=only,
                    views=views,
                    cursors=cursors_of(self, home, before),
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


def look_at_postgres(
    name: str, *, url: str | None = None, schema: str = "public", table: list[str] | None = None
) -> Looked:
    """Inspect the tables of a schema; without names all of them, without a URL those of the configured database.

    Raises BadRequest when a table can't be part of a source, StepFailed when the database can't be reached.
    """
    read = read_postgres_url(url, "--url") if url else database_url(name)
    if read is None:
        raise BadRequest(f"--kind postgres needs --url, or SOURCES__{name.upper()}__CREDENTIALS in the environment")
    where = f"schema {schema} of the database"
    with open_postgres(read, schema=schema, only=table or None) as reading:
        schemas = reading.schemas()
        if unknown := [one for one in table or [] if one not in schemas]:
            raise BadRequest(f"{where} has no table {', '.join(unknown)}")
        check_names(where, {one: columns.names for one, columns in schemas.items()})
        primary: dict[str, tuple[str, ...]] = {}
        for one, column in reading.fetch(_PRIMARY_KEYS, [schema]):
            primary[one] = (*primary.get(one, ()), column)
        found = [
            look_at_table(
                one,
                duckdb_types(columns),
                lambda query: reading.fetch(query)[0],
                name_of(schema, one),
                declared=primary.get(one, ()),
                rows_needed=0,
            )
            for one, columns in schemas.items()
        ]
    return Looked(
        title="A table of a Postgres database",
        origin="table",
        tables=found,
        settings={"schema": schema, "tables": list(schemas)},
        secrets={"credentials": url} if url else {},
    )
