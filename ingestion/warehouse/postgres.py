"""The Postgres warehouse: dlt owns the raw tables, binary COPY (ADBC) loads the rows."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from urllib.parse import quote as url_quote
from urllib.parse import unquote, urlsplit

import duckdb
import psycopg
import pyarrow as pa

from ingestion import adbc
from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import StepFailed
from ingestion.redact import one_line, register_secret
from ingestion.session import memory_setting, open_session
from ingestion.settings import Home
from ingestion.sources.postgres import PostgresReading
from ingestion.sql import literal, name_of
from ingestion.warehouse.base import (
    NO_REJECTS,
    OPS,
    BuildMark,
    RawTable,
    Rejects,
    are_there,
    contents,
    source_days_columns,
    wanted_columns,
)
from ingestion.warehouse.postgres_rows import (
    BATCH_ROWS,
    exists,
    insert,
    insert_rejects,
    landed,
    mark_stale,
    record,
    widen,
)

# profiles.yml reads the same names.
_VARIABLE = "TRADEWINDS_POSTGRES_"
_DATABASE = "tradewinds"
# dbt builds marts in schemas with this suffix (macros/generate_schema_name.sql). Only a publish changes the readers'.
_BUILD_SUFFIX = "__build"


class PostgresWarehouse:
    """A Postgres database: that of `TRADEWINDS_POSTGRES_HOST` etc., else one on the home's embedded server."""

    def __init__(self, home: Home):
        self._home = home

    @contextmanager
    def serving(self) -> Iterator[None]:
        if os.environ.get(f"{_VARIABLE}HOST"):
            yield
            return
        server = EmbeddedPostgres(self._home.root)
        with server.running():
            server.ensure_database(_DATABASE)
            url = urlsplit(server.url(_DATABASE))
            settings = {
                "HOST": url.hostname or "",
                "PORT": str(url.port),
                "USER": url.username or "",
                "PASSWORD": unquote(url.password or ""),
                "DATABASE": _DATABASE,
            }
            os.environ.update({_VARIABLE + name: value for name, value in settings.items()})
            try:
                yield
            finally:
                for name in settings:
                    del os.environ[_VARIABLE + name]

    def load_day(
        self, run_date: str, sources: list[str], tables: list[RawTable], rejects: Rejects = NO_REJECTS
    ) -> None:
        with self._errors_in_one_line():
            _create_or_extend(wanted_columns(tables))
            with adbc.connect(warehouse_url()) as connection, connection.cursor() as cursor:
                before = landed(cursor, run_date, sources)
                for _, _, name, raw_schema, *_ in before:
                    cursor.execute(
                        f"delete from {name_of(raw_schema, name)} where _run_date = $1::text::date", [run_date]
                    )
                for table in tables:
                    insert(cursor, table, widen(connection, cursor, table), run_date)
                insert_rejects(cursor, run_date, sources, rejects)
                record(cursor, run_date, sources, tables)
                if contents(before) != contents(landed(cursor, run_date, sources)):
                    mark_stale(cursor, run_date)
                connection.commit()

    def record_steps(self, steps: pa.Table) -> None:
        with self._errors_in_one_line():
            _create_or_extend(wanted_columns([]))
            with adbc.connect(warehouse_url()) as connection, connection.cursor() as cursor:
                cursor.execute(f"delete from {name_of(OPS, 'pipeline_steps')}")
                cursor.adbc_ingest("pipeline_steps", steps, mode="append", db_schema_name=OPS)
                connection.commit()

    def refresh(self, relation: str, view: str) -> None:
        mart, source = self.built_relation(relation), name_of(*view.split("."))
        named = f"attrelid = {literal(mart)}::regclass and attnum > 0 and not attisdropped"
        with self._errors_in_one_line(), adbc.connect(warehouse_url()) as connection, connection.cursor() as cursor:
            cursor.execute(f"select quote_ident(attname) from pg_attribute where {named}")
            columns = ", ".join(name for (name,) in cursor.fetchall())
            cursor.execute(f"delete from {mart}")
            cursor.execute(f"insert into {mart} ({columns}) select {columns} from {source}")
            connection.commit()

    def record_sources(self, days: pa.Table, tables: dict[tuple[str, str], pa.Schema]) -> None:
        with self._errors_in_one_line():
            _create_or_extend(source_days_columns(tables))
            with adbc.connect(warehouse_url()) as connection, connection.cursor() as cursor:
                cursor.execute(f"delete from {name_of(OPS, 'source_days')}")
                cursor.adbc_ingest("source_days", days, mode="append", db_schema_name=OPS)
                connection.commit()

    def loaded_runs(self, run_date: str) -> dict[str, str]:
        ids = "string_agg(distinct run_id, ',' order by run_id)"
        query = f"select source, {ids} from {{}} where run_date = $1::text::date group by source"
        return dict(self._query("landed_tables", query, [run_date]))

    def history_days(self) -> list[str]:
        query = "select run_date::text from {} order by run_date"
        return [day for (day,) in self._query("history_days", query)]

    def build_mark(self) -> BuildMark | None:
        rows = self._query("build_mark", "select run_date::text, state, invocation_id from {}")
        return BuildMark(*rows[0]) if rows else None

    def reading(self, relation: str, order_by: list[str]) -> AbstractContextManager[pa.RecordBatchReader]:
        return self.reading_table(*self.built_place(relation), order_by)

    @contextmanager
    def sorting(self, relation: str, order_by: list[str]) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.reading(relation, order_by) as batches, open_session(memory=memory_setting()) as connection:
            connection.register("batches", batches)
            connection.execute("create temp table sorted_mart as from batches")
            yield connection

    def has(self, relation: str) -> bool:
        with self._errors_in_one_line(), _asking() as cursor:
            return exists(cursor, *self.built_place(relation))

    @contextmanager
    def reading_table(self, schema: str, table: str, order_by: list[str]) -> Iterator[pa.RecordBatchReader]:
        """Open any table as `reading` opens a mart."""
        with self.reading_tables() as read:
            yield read(schema, table, order_by)

    @contextmanager
    def reading_tables(self) -> Iterator[Callable[..., pa.RecordBatchReader]]:
        """Yield a function that opens a table (schema, name, order) on one connection: read one before the next.

        The function raises KeyError when there is no such table.
        """
        with self._errors_in_one_line(), adbc.connect(warehouse_url()) as connection:
            reading = cache(lambda schema: PostgresReading(connection, schema))

            def read(schema: str, table: str, order_by: Sequence[str] = ()) -> pa.RecordBatchReader:
                columns = reading(schema).schemas()[table]
                parts = reading(schema).read(table, order_by)
                batches = (batch for part in parts for batch in part.to_batches(BATCH_ROWS))
                return pa.RecordBatchReader.from_batches(columns, batches)

            yield read

    def built_place(self, relation: str) -> tuple[str, str]:
        """Return the schema and table in which dbt builds a mart (`schema.table`)."""
        schema, _, table = relation.partition(".")
        return schema + _BUILD_SUFFIX, table

    def audit_url(self) -> str:
        return warehouse_url().replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def namespace(self) -> tuple[str, str]:
        url = urlsplit(warehouse_url())
        return f"postgres://{url.hostname}:{url.port}", unquote(url.path.lstrip("/"))

    def built_relation(self, relation: str) -> str:
        return name_of(*self.built_place(relation))

    def release(self) -> None:
        from dbt.adapters.factory import cleanup_connections

        cleanup_connections()

    def _query(self, table: str, query: str, parameters: list | None = None) -> list[tuple]:
        """Return the rows of a query on one `raw_ops` table, none if it doesn't exist yet."""
        with self._errors_in_one_line(), _asking() as cursor:
            if not exists(cursor, OPS, table):
                return []
            cursor.execute(query.format(name_of(OPS, table)), parameters)
            return cursor.fetchall()

    @contextmanager
    def _errors_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except (adbc.Error, psycopg.Error) as error:
            raise StepFailed(f"the warehouse: {one_line(error)}") from error


def warehouse_url() -> str:
    """Return the warehouse's URL from the variables that dbt's profile reads."""
    setting = {
        name: os.environ.get(f"{_VARIABLE}{name.upper()}", default)
        for name, default in {
            "host": "127.0.0.1",
            "port": "5432",
            "user": "tradewinds",
            "password": "",
            "database": _DATABASE,
        }.items()
    }
    if setting["password"]:
        register_secret(setting["password"])
    user, password = (url_quote(setting[name], safe="") for name in ("user", "password"))
    return f"postgresql://{user}:{password}@{setting['host']}:{setting['port']}/{setting['database']}"


@contextmanager
def _asking() -> Iterator[psycopg.RawCursor]:
    """Open a cursor for small queries: psycopg connects in an eighth of the time that ADBC takes."""
    with psycopg.connect(warehouse_url()) as connection:
        yield psycopg.RawCursor(connection)


def _create_or_extend(wanted: dict[tuple[str, str], pa.Schema]) -> None:
    query = (
        "select table_schema, table_name, column_name from information_schema.columns where table_schema like 'raw%'"
    )
    with _asking() as cursor:
        cursor.execute(query)
        if are_there(wanted, cursor.fetchall()):
            return
    from ingestion.warehouse.dlt_tables import create_or_extend

    create_or_extend("postgres", warehouse_url(), wanted)
