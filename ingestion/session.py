"""DuckDB as Tradewinds uses it outside dbt: in UTC, and in bounded memory whatever the day's size."""

from pathlib import Path

import duckdb

MEMORY_LIMIT = "512MB"


def open_session(path: Path | None = None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a database file, or a private one in memory; raises duckdb.Error when it can't be opened."""
    connection = duckdb.connect(str(path) if path else ":memory:", read_only=read_only)
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    return connection
