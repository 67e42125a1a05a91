"""Two fingerprints of data: of a file's bytes, and of a table's rows in any order."""

import hashlib
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from ingestion.session import open_session

_CHUNK_BYTES = 2**20


def file_sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stream_sha256(stream: BinaryIO) -> str:
    """Return the hex SHA-256 of what is left to read, whether or not it is a file of this machine."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def content_hash(paths: list[Path], columns: list[str]) -> str:
    """Return the `rows_hash` of these Parquet files together."""
    with open_session() as connection:
        parquet = "read_parquet(?, union_by_name = true, hive_partitioning = false)"
        return rows_hash(connection, parquet, columns, [[str(path) for path in paths]])


def rows_hash(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: list[str],
    parameters: list[Any] | None = None,
) -> str:
    """Return a hash of a relation's rows that neither row order, column order nor file layout changes.

    Each row becomes text (columns by name, every value with its length, NULL unlike any value); the rows' MD5s are
    added up, so that a doubled row counts twice. MD5 of text, unlike DuckDB's own `hash()`, is the same in every
    version. The connection's time zone must be UTC.
    """
    names = ['"' + name.replace('"', '""') + '"' for name in sorted(columns)]
    row = " || ".join(f"coalesce(length({name}::varchar) || ':' || {name}::varchar, '-')" for name in names)
    total = connection.execute(
        f"""
        select count(*), coalesce(sum(md5_number_lower(text)), 0), coalesce(sum(md5_number_upper(text)), 0)
        from (select {row} as text from {relation})
        """,
        parameters or [],
    ).fetchone()
    parts = [*map(str, total), *sorted(columns)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
