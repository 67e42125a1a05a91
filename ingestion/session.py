"""DuckDB sessions outside dbt: in UTC, with bounded memory."""

import os
import re
from functools import cache
from pathlib import Path

import duckdb

from ingestion.errors import BadRequest

MEMORY_LIMIT = "512MB"
# Reads a list of files, the parameter. Their folders are named like partitions, whose values aren't columns.
READ_PARQUET = "read_parquet(?, union_by_name = true, hive_partitioning = false)"
_MEMORY = "TRADEWINDS_MEMORY"
_SHARE_OR_SIZE = re.compile(r"(?P<share>[1-9]\d?|100)%|(?P<size>\d+(\.\d+)?)\s?[KMGT]i?B", re.IGNORECASE)


def open_session(
    path: Path | None = None, *, read_only: bool = False, memory: str = MEMORY_LIMIT
) -> duckdb.DuckDBPyConnection:
    """Open a database file, or a private database in memory; raises duckdb.Error when it can't be opened."""
    connection = duckdb.connect(str(path) if path else ":memory:", read_only=read_only)
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set memory_limit = '{memory}'")
    return connection


def open_scratch() -> duckdb.DuckDBPyConnection:
    """Open a session for small queries that create and attach nothing.

    All of them are in one private database, so that opening one takes a millisecond instead of fifteen.
    """
    connection = _scratch().cursor()
    connection.execute("set TimeZone = 'UTC'")
    return connection


@cache
def _scratch() -> duckdb.DuckDBPyConnection:
    return open_session()


def memory_setting(sessions: int = 1) -> str:
    """Return the memory limit for comparing, copying and exporting marts, in DuckDB's notation; raises BadRequest.

    Of several sessions at once, each may use its part.
    """
    text = os.environ.get(_MEMORY) or "50%"
    if not (found := _SHARE_OR_SIZE.fullmatch(text)):
        raise BadRequest(f"{_MEMORY} must be a share of the machine's memory (50%) or a size (8GB), not {text!r}")
    number = found["share"] or found["size"]
    return f"{float(number) / sessions:f}{text.removeprefix(number)}"
