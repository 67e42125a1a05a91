"""Hash data in two ways: a file's bytes, and a table's rows in any order."""

import hashlib
import json
import re
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

import duckdb

from ingestion.sql import quote

# DuckDB's hash() may change with its version: row hashes start with this name, and only equal names are compared.
ALGORITHM = "duckdb-" + ".".join(duckdb.__version__.split(".")[:2])

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_WIDE_INTEGERS = ("UBIGINT", "HUGEINT")
_FLOATS = ("FLOAT", "DOUBLE")
_AS_THEY_ARE = ("BOOLEAN", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "BLOB")
_DECIMAL = re.compile(r"DECIMAL\(\d+,(\d+)\)")


@dataclass(frozen=True)
class Digest:
    """A relation's row count, the hash of its rows, and the requested figures."""

    rows: int
    content_hash: str
    figures: tuple[Any, ...] = ()


def file_sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return stream_sha256(file)


def stream_sha256(stream: BinaryIO) -> str:
    """Return the hex SHA-256 of the rest of a stream."""
    return hashlib.file_digest(cast(BufferedReader, stream), "sha256").hexdigest()


def is_comparable(content_hash: str) -> bool:
    """Return whether a stored row hash uses the current algorithm, and so can be compared."""
    return content_hash.startswith(f"{ALGORITHM}:")


def short_hash(content_hash: str) -> str:
    """Return the first 12 hex digits of a hash, for names."""
    return content_hash.rpartition(":")[2][:12]


def digest_rows(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: list[str] | None = None,
    parameters: list[Any] | None = None,
    figures: str = "",
) -> Digest:
    """Count and hash a relation's rows, over all columns or some, and compute figures (SQL), in one scan.

    The hash is `<algorithm>:<64 hex digits>`. Row order, column order and file layout don't change it. The rows' hashes
    are summed, so a doubled row counts twice. Columns are cast to one type per kind first, because engines differ in a
    number's width.
    """
    kinds, hashed = row_hash(connection, relation, columns, parameters)
    asked = f", {figures}" if figures else ""
    query = f"select count(*), coalesce(sum({hashed}::hugeint), 0){asked} from {relation}"
    rows, total, *found = connection.execute(query, parameters or []).fetchall()[0]
    return Digest(rows, _content_hash(rows, total, kinds), tuple(found))


def digest_ranges(connection: duckdb.DuckDBPyConnection, relation: str, range_: str) -> tuple[Digest, dict[int, str]]:
    """Digest a relation as `digest_rows` does, and its rows by range: SQL for a whole number, in whose order they come.

    The text of a range holds the number of its rows and the sum of their hashes.
    """
    kinds, hashed = row_hash(connection, relation)
    query = f"select {range_}, count(*), sum({hashed}::hugeint) from {relation} group by 1 order by 1"
    found = connection.execute(query).fetchall()
    rows, total = sum(count for _, count, _ in found), sum(hashes for *_, hashes in found)
    return Digest(rows, _content_hash(rows, total, kinds)), {at: f"{count} {hashes}" for at, count, hashes in found}


def _content_hash(rows: int, total: int, kinds: dict[str, str]) -> str:
    text = json.dumps([rows, total, list(kinds.items())])
    return f"{ALGORITHM}:{hashlib.sha256(text.encode()).hexdigest()}"


def row_hash(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: list[str] | None = None,
    parameters: list[Any] | None = None,
) -> tuple[dict[str, str], str]:
    """Return the columns' kinds, sorted by name, and SQL for the 64-bit hash of one row of a relation."""
    described = connection.execute(f"describe select * from {relation}", parameters or []).fetchall()
    types = {name: type_ for name, type_, *_ in described}
    kinds = {name: _kind(types[name]) for name in sorted(columns or types)}
    values = ", ".join(_value(quote(name), kind) for name, kind in kinds.items())
    # Hashed twice: DuckDB combines two columns' hashes too simply for sums.
    return kinds, f"hash(hash({values}))"


def _kind(type_: str) -> str:
    """Return the type that stands for all DuckDB types that differ only in width."""
    if decimal := _DECIMAL.fullmatch(type_):
        return f"DECIMAL(38,{decimal[1]})"
    for kind, types in {"BIGINT": _INTEGERS, "HUGEINT": _WIDE_INTEGERS, "DOUBLE": _FLOATS}.items():
        if type_ in types:
            return kind
    return type_ if type_ in _AS_THEY_ARE else "VARCHAR"


def _value(name: str, kind: str) -> str:
    """Return SQL for the value that is hashed for a column of this kind."""
    if kind == "DOUBLE":  # to hash(), -0.0 is 0.0
        return f"{name}::{kind}, {name} = 0 and signbit({name})"
    if kind == "HUGEINT" or kind.startswith("DECIMAL"):  # to hash(), a 128-bit -1 is 0
        return f"{name}::{kind}, {name} < 0"
    return f"{name}::{kind}"
