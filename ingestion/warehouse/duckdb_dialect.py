"""DuckDB for SQLAlchemy, for reading only."""

import atexit
from typing import Any

import duckdb_engine

# SQLAlchemy's registries outlive the interpreter once Great Expectations is imported, and duckdb with them, which
# then complains on standard error for ninety lines.
atexit.register(vars(duckdb_engine).clear)


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
