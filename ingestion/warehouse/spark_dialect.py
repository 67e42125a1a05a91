"""Spark as a database of SQLAlchemy, for reading: SQL is written as for DuckDB, and runs in the command's session."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import sqlglot
from sqlalchemy.engine.default import DefaultDialect

from ingestion.sql import literal
from ingestion.warehouse.spark_session import joined_session


def in_spark_words(query: str) -> str:
    """Return a query that is written for DuckDB in Spark's words."""
    return sqlglot.transpile(query, read="duckdb", write="spark")[0]


class Cursor:
    """A cursor of Python's database interface."""

    arraysize, rowcount = 1, -1

    def __init__(self) -> None:
        self.description: list[tuple] | None = None
        self._rows: Iterator[tuple] = iter(())

    def execute(self, query: str, parameters: Mapping[str, Any] | None = None) -> None:
        written = query % {name: _value(value) for name, value in (parameters or {}).items()}
        found = joined_session().sql(in_spark_words(written))
        self.description = [(name, *[None] * 6) for name in found.columns]
        self._rows = iter([tuple(row) for row in found.collect()])

    def fetchone(self) -> tuple | None:
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[tuple]:
        return [row for _, row in zip(range(size), self._rows, strict=False)]

    def fetchall(self) -> list[tuple]:
        return list(self._rows)

    def close(self) -> None:
        self._rows = iter(())


class Connection:
    """A connection, of which there is nothing to commit or to close."""

    def cursor(self) -> Cursor:
        return Cursor()

    def commit(self) -> None:
        pass

    rollback = close = commit


class SparkDialect(DefaultDialect):
    """The dialect of `tradewinds_spark://`: standard SQL, with values in the text, which Spark's session wants."""

    name, driver = "tradewinds_spark", "session"
    supports_native_boolean = supports_native_decimal = supports_statement_cache = True
    supports_sane_rowcount = False

    @classmethod
    def import_dbapi(cls) -> Any:
        return SimpleNamespace(paramstyle="pyformat", Error=Exception, connect=Connection)

    def initialize(self, connection: Any) -> None:
        """Ask nothing: there is no server with a version."""

    def get_columns(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("columns are those of a query's result")


def _value(value: Any) -> str:
    """Return a value as SQL."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float | Decimal):
        return str(value).lower()
    if isinstance(value, date):
        return f"cast({literal(str(value))} as {'timestamp' if isinstance(value, datetime) else 'date'})"
    return literal(str(value))
