"""A Postgres source defined by settings alone: its schema and tables. Its URL is a secret."""

from dataclasses import dataclass

from ingestion.errors import BadRequest
from ingestion.own_sources import OwnSettings
from ingestion.settings import database_url, read_postgres_url, source_names
from ingestion.sources.duckdb_types import duckdb_types
from ingestion.sources.own import Looked, Own, check_names, look_at_table
from ingestion.sources.postgres import open_postgres
from ingestion.sources.postgres_source import PostgresSource
from ingestion.sql import quote

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
class OwnPostgres(Own, PostgresSource):
    """The configured tables of the database at `sources.<name>.credentials`."""


def make_own_postgres(settings: OwnSettings) -> OwnPostgres:
    """Return the source for these settings; raises BadRequest when they name no tables."""
    if not source_names(settings.name, "tables"):
        raise BadRequest(f"{settings.section}: expected tables, a list of their names")
    area = f"postgres/{settings.name}"
    return OwnPostgres(name=settings.name, raw_schema=settings.raw_schema, area=area, settings=settings)


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
                f"{quote(schema)}.{quote(one)}",
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
