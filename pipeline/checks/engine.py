"""Great Expectations on the warehouse: read-only, by SQL, and closed when the block ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import logging

import duckdb_engine
import great_expectations as gx
from great_expectations.datasource.fluent import SQLDatasource
from sqlalchemy import Engine
from sqlalchemy.dialects import registry

from ingestion.warehouse import Warehouse


class ReadOnlyDuckDB(duckdb_engine.Dialect):
    """DuckDB's dialect without transactions: its driver fails on them, and reading needs none."""

    supports_statement_cache = False

    def connect(self, *args: Any, **options: Any) -> Any:
        connection = super().connect(*args, **options)
        connection.execute("set TimeZone = 'UTC'")
        return connection

    def do_begin(self, dbapi_connection: Any) -> None: ...

    def do_commit(self, dbapi_connection: Any) -> None: ...

    def do_rollback(self, dbapi_connection: Any) -> None: ...


registry.register("duckdb", __name__, ReadOnlyDuckDB.__name__)


@dataclass(frozen=True)
class Audit:
    """The warehouse as Great Expectations and SQLAlchemy see it, over the same connections."""

    datasource: SQLDatasource
    engine: Engine


@contextmanager
def open_audit(warehouse: Warehouse) -> Iterator[Audit]:
    """Open the warehouse for reading; when the block ends no connection to it is left in this process."""
    for name in ("great_expectations", "duckdb_engine"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    datasource = context.data_sources.add_sql("warehouse", connection_string=warehouse.audit_url())
    datasource.create_temp_table = False
    engine = datasource.get_engine()
    try:
        yield Audit(datasource, engine)
    finally:
        execution_engine = datasource.get_execution_engine()
        execution_engine.close()
        execution_engine.engine.dispose()
        engine.dispose()
