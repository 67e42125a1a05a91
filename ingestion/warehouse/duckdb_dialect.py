"""A read-only DuckDB dialect for SQLAlchemy."""

import atexit
from typing import Any

import duckdb_engine

# Once Great Expectations is imported, SQLAlchemy's registries keep duckdb past the interpreter's end, and duckdb
# then writes ninety lines to standard error.
atexit.register(vars(duckdb_engine).clear)


# The parameter of the URL that holds the database's path.
PATH = "path"


class ReadOnlyDuckDB(duckdb_engine.Dialect):
    """DuckDB's dialect without transactions: its driver fails on them, and readers don't need them."""

    supports_statement_cache = False

    def connect(self, *args: Any, **options: Any) -> Any:
        config = dict(options["url_config"])
        connection = super().connect(*args, **options | {"database": config.pop(PATH), "url_config": config})
        connection.execute("set TimeZone = 'UTC'")
        return connection

    def do_begin(self, dbapi_connection: Any) -> None: ...

    def do_commit(self, dbapi_connection: Any) -> None: ...

    def do_rollback(self, dbapi_connection: Any) -> None: ...
