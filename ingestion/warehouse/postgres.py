"""The Postgres warehouse: dlt owns the raw tables, binary COPY (ADBC) loads the rows."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote as url_quote
from urllib.parse import unquote, urlsplit

import duckdb
import psycopg
import pyarrow as pa

from ingestion import adbc
from ingestion.embedded.access import create_database
from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.environment import environment_suffix
from ingestion.errors import StepFailed
from ingestion.redact import one_line, register_secret
from ingestion.session import memory_setting, open_session
from ingestion.settings import Home
from ingestion.sources.postgres import PostgresReading
from ingestion.sources.selection import ALL_ROWS, Selection
from ingestion.sql import name_of
from ingestion.warehouse.base import SqlWarehouse, are_there
from ingestion.warehouse.postgres_rows import BATCH_ROWS, insert, insert_rejects, offer, widen
from ingestion.warehouse.tables import NO_COLUMNS, OPS, Columns, RawTable
from ingestion.warehouse.versions import adopt, stored_columns, views

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Cursor

# profiles.yml reads the same names.
_VARIABLE = "TRADEWINDS_POSTGRES_"
_DATABASE = "tradewinds"
# dbt builds marts in schemas with this suffix (macros/generate_schema_name.sql). Only a publish changes the readers'.
_BUILD_SUFFIX = "__build"


class PostgresWarehouse(SqlWarehouse):
    """A Postgres database: that of `TRADEWINDS_POSTGRES_HOST` etc., else one on the home's embedded server."""

    _lock = f"lock table {name_of(OPS, 'build_mark')} in share row exclusive mode"

    def __init__(self, home: Home):
        self._home = home

    @contextmanager
    def serving(self) -> Iterator[None]:
        if os.environ.get(f"{_VARIABLE}HOST"):
            if environment_suffix():
                _ensure_database()
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

    @contextmanager
    def _writing(self, ops: Columns, raw: Columns = NO_COLUMNS) -> Iterator["Cursor"]:
        with self._errors_in_one_line():
            wanted = ops | stored_columns(raw)
            with self._asking() as asked:
                for statement in (adopting := adopt(asked, raw)):
                    asked.execute(statement)
                is_missing = bool(adopting) or not are_there(asked, wanted)
            if is_missing:
                from ingestion.warehouse.dlt_tables import create_or_extend

                create_or_extend("postgres", warehouse_url(), wanted, self._home.pipelines / "postgres")
            with adbc.connect(warehouse_url()) as connection, connection.cursor() as cursor:
                yield cursor
                for statement in views(cursor, raw):
                    cursor.execute(statement)
                connection.commit()

    @contextmanager
    def _asking(self) -> Iterator[psycopg.RawCursor]:
        # psycopg connects in an eighth of the time that ADBC takes.
        with self._errors_in_one_line(), psycopg.connect(warehouse_url()) as connection:
            yield psycopg.RawCursor(connection)

    def _append(self, cursor: "Cursor", table: str, rows: pa.Table) -> None:
        cursor.adbc_ingest(table, rows, mode="append", db_schema_name=OPS)

    def _widen(self, cursor: "Cursor", table: RawTable) -> None:
        widen(cursor, table)

    def _offer(self, cursor: "Cursor", table: RawTable) -> dict[int, int]:
        return offer(cursor, table)

    def _insert(self, cursor: "Cursor", table: RawTable, place: int, run_date: str, until: str) -> None:
        insert(cursor, table, place, run_date, until)

    def _insert_rejects(self, cursor: "Cursor", files: list[Path]) -> int:
        return insert_rejects(cursor, files)

    def space(self) -> dict[str, int]:
        size = "sum(pg_total_relation_size(pg_class.oid))::bigint"
        query = (
            f"select nspname, {size} from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace "
            "where relkind = 'r' and nspname <> 'information_schema' and nspname not like 'pg\\_%' group by nspname"
        )
        with self._asking() as cursor:
            return dict(cursor.execute(query).fetchall())

    @contextmanager
    def reading(self, relation: str, which: Selection = ALL_ROWS) -> Iterator[pa.RecordBatchReader]:
        with self.reading_tables() as read:
            yield read(*self.built_place(relation), which)

    @contextmanager
    def exporting(self, relation: str) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.reading(relation) as batches, open_session(memory=memory_setting(2)) as connection:
            connection.register("batches", batches)
            connection.execute("create table mart as from batches")
            yield connection

    @contextmanager
    def reading_tables(self) -> Iterator[Callable[..., pa.RecordBatchReader]]:
        """Yield a function that opens a table (schema, name) on one connection: read one before the next.

        The function raises KeyError when there is no such table.
        """
        with self._errors_in_one_line(), adbc.connect(warehouse_url()) as connection:
            reading = cache(lambda schema: PostgresReading(connection, schema))

            def read(schema: str, table: str, which: Selection = ALL_ROWS) -> pa.RecordBatchReader:
                columns = reading(schema).schemas()[table]
                parts = reading(schema).read(table, which)
                batches = (batch for part in parts for batch in part.to_batches(BATCH_ROWS))
                return pa.RecordBatchReader.from_batches(columns, batches)

            yield read

    def built_place(self, relation: str) -> tuple[str, str]:
        schema, table = super().built_place(relation)
        return schema + _BUILD_SUFFIX, table

    def audit_url(self) -> str:
        return warehouse_url().replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def namespace(self) -> tuple[str, str]:
        url = urlsplit(warehouse_url())
        return f"postgres://{url.hostname}:{url.port}", unquote(url.path.lstrip("/"))

    @contextmanager
    def _errors_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except (adbc.Error, psycopg.Error) as error:
            raise StepFailed(f"the warehouse: {one_line(error)}") from error


def _ensure_database() -> None:
    """Create the database of an environment if it is missing; raises StepFailed when we may not."""
    url = urlsplit(warehouse_url())
    name = unquote(url.path.lstrip("/"))
    try:
        create_database(url._replace(path="/postgres").geturl(), name)
    except psycopg.Error as error:
        raise StepFailed(f"the warehouse: database {name} can't be created: {one_line(error)}") from error


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
