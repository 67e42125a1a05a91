"""Hash, compare and copy marts in DuckDB files; the built ones are attached as `warehouse`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

from ingestion.digest import Digest, digest_rows, is_comparable, row_hash
from ingestion.session import memory_setting, open_session
from ingestion.sql import literal, quote
from pipeline.dbt.project import Mart
from pipeline.publishing.base import Version
from pipeline.publishing.changes import Change, RowHash, Types, compare, different_rows
from pipeline.publishing.declarations import Shape, additions, listed, shape_of, version_comment

# Clients from DuckDB 1.4 on can open this format, but not that of 2.0.
_STORAGE_VERSION = "v1.4.0"
# The rows of a mart that differ; more keys than this aren't kept in memory.
_DIFFERENT, _MANY_KEYS = "different", 1_000_000
# Stored in the file, so that its version and its marts always match.
_VERSION, _MARTS = "main.published_version", "main.published_marts"


@contextmanager
def attached(warehouse: Path, published: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the built marts, and the published ones if there are any, for reading."""
    with open_session(memory=memory_setting(2)) as connection:
        connection.execute(f"attach {literal(str(warehouse))} as warehouse (read_only)")
        if published:
            connection.execute(f"attach {literal(str(published))} as published (read_only)")
        yield connection


def published_file(connection: duckdb.DuckDBPyConnection) -> Path:
    """Return the file that is attached as `published`."""
    query = "select path from duckdb_databases() where database_name = 'published'"
    return Path(connection.execute(query).fetchall()[0][0])


def version_in(connection: duckdb.DuckDBPyConnection) -> Version:
    """Return the version of the published file that a connection has open."""
    query = f"select run_date::varchar, content_hash from {_VERSION}"
    return Version(*connection.execute(query).fetchall()[0])


def digest_published(connection: duckdb.DuckDBPyConnection, marts: list[Mart]) -> dict[str, Digest]:
    """Return the published marts' stored digests, or digest them again if another algorithm made those."""
    recorded = {}
    if columns_of(connection, "published", Mart(_MARTS)):
        query = f"select mart, row_count, content_hash from published.{_MARTS}"
        recorded = {mart: Digest(*digest) for mart, *digest in connection.execute(query).fetchall()}
    known = {mart: digest for mart, digest in recorded.items() if is_comparable(digest.content_hash)}
    return {
        mart.relation: known.get(mart.relation) or digest_mart(connection, "published", mart)
        for mart in marts
        if columns_of(connection, "published", mart)
    }


def compare_mart(
    connection: duckdb.DuckDBPyConnection, mart: Mart, old: str = "published", new: str = "warehouse"
) -> Change:
    """Compare a mart's rows in two attached databases; leave those that differ in a temporary table."""
    before, after = (columns_of(connection, database, mart) for database in (old, new))
    if before:
        _find_different(connection, mart, old, new, (before, after))
    return compare(
        mart,
        lambda query: connection.execute(query).fetchall()[0],
        _row_hash(connection),
        _name(old, mart) if before else None,
        _name(new, mart),
        (before, after),
        _DIFFERENT,
    )


def _find_different(
    connection: duckdb.DuckDBPyConnection, mart: Mart, old: str, new: str, columns: tuple[Types, Types]
) -> None:
    query = different_rows(mart, _row_hash(connection), _name(old, mart), _name(new, mart), columns)
    connection.execute(f"create or replace temp table {_DIFFERENT} as {query}")


def different_keys(connection: duckdb.DuckDBPyConnection, mart: Mart) -> pa.Table | None:
    """Return the keys of the rows that `compare_mart` found different; None if there are many, or no keys."""
    there = connection.table(_DIFFERENT).columns
    if not mart.is_keyed or not {*mart.key} <= {*there}:
        return None
    keys = connection.sql(f"select distinct {listed(mart.key)} from {_DIFFERENT} limit {_MANY_KEYS}").to_arrow_table()
    return keys if keys.num_rows < _MANY_KEYS else None


def write_marts(
    connection: duckdb.DuckDBPyConnection,
    draft: Path,
    version: Version,
    marts: list[Mart],
    digests: dict[str, Digest],
    there: dict[str, Digest],
    different: dict[str, pa.Table],
) -> None:
    """Write a file with the built marts, what the project declares of them, its version, and each mart's digest.

    The draft may be a copy of the published file, with these marts in it (`there`): only what differs is written. The
    keys of rows that differ may be known (`different`).
    """
    connection.execute(f"attach {literal(str(draft))} as draft (storage_version '{_STORAGE_VERSION}')")
    # One transaction, because each commit waits for the disk.
    connection.execute("begin")
    for mart in marts:
        built = digests[mart.relation]
        if there.get(mart.relation) != built and not (
            mart.relation in there and _change_rows(connection, mart, built, different.get(mart.relation))
        ):
            connection.execute(f"create schema if not exists draft.{quote(mart.place[0])}")
            connection.execute(f"create or replace table {_name('draft', mart)} as from {_name('warehouse', mart)}")
            for statement in additions(_name("draft", mart), _indexed(shape_of(mart))):
                connection.execute(statement)
    connection.execute(
        f"create or replace table draft.{_VERSION} as select ?::date as run_date, ? as content_hash",
        [version.run_date, version.content_hash],
    )
    connection.execute(f"create or replace table draft.{_MARTS} (mart varchar, row_count bigint, content_hash varchar)")
    connection.executemany(
        f"insert into draft.{_MARTS} values (?, ?, ?)",
        [[mart, digest.rows, digest.content_hash] for mart, digest in digests.items()],
    )
    connection.execute(f"comment on table draft.{_VERSION} is {literal(version_comment(marts))}")
    connection.execute("commit")
    connection.execute("detach draft")


def _change_rows(connection: duckdb.DuckDBPyConnection, mart: Mart, built: Digest, keys: pa.Table | None) -> bool:
    """Replace the draft's rows that differ from the built ones; return whether the draft then has the built rows."""
    old, new = (columns_of(connection, database, mart) for database in ("draft", "warehouse"))
    if not mart.is_keyed or old != new:
        return False
    draft, warehouse = _name("draft", mart), _name("warehouse", mart)
    if keys is None:
        _find_different(connection, mart, "draft", "warehouse", (old, new))
    else:
        connection.execute(f"create or replace temp table {_DIFFERENT} as from keys")
    is_different = f"({listed(mart.key)}) in (select ({listed(mart.key)}) from {_DIFFERENT})"
    connection.execute(f"delete from {draft} where {is_different}")
    connection.execute(f"insert into {draft} by name from {warehouse} where {is_different}")
    return digest_mart(connection, "draft", mart) == built


def marts_are_declared(connection: duckdb.DuckDBPyConnection, marts: list[Mart]) -> bool:
    """Return whether the published file has the marts' present descriptions and keys."""
    named = "database_name = 'published' and schema_name || '.' || table_name = ?"
    found = connection.execute(f"select comment from duckdb_tables() where {named}", [_VERSION]).fetchall()
    return found == [(version_comment(marts),)]


def digest_mart(connection: duckdb.DuckDBPyConnection, database: str, mart: Mart) -> Digest:
    """Digest a mart's rows in an attached database."""
    return digest_rows(connection, _name(database, mart))


def columns_of(connection: duckdb.DuckDBPyConnection, database: str, mart: Mart) -> dict[str, str]:
    """Return the mart's columns in order with their types, none if it doesn't exist."""
    query = """
        select column_name, data_type from duckdb_columns()
        where database_name = ? and schema_name = ? and table_name = ? order by column_index
    """
    return dict(connection.execute(query, [database, *mart.place]).fetchall())


def _row_hash(connection: duckdb.DuckDBPyConnection) -> RowHash:
    return lambda relation, columns: row_hash(connection, relation, columns)[1]


def _indexed(shape: Shape) -> Shape:
    """Leave out keys of several columns: DuckDB would keep an index of each, which doubles the file."""
    return replace(shape, keys=frozenset((kind, key) for kind, key in shape.keys if len(key) == 1))


def _name(database: str, mart: Mart) -> str:
    return ".".join([database, *map(quote, mart.place)])
