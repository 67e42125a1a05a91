"""Hash, compare and copy marts in DuckDB files; the built ones are attached as `warehouse`."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from ingestion.digest import Digest, digest_ranges, digest_rows, is_comparable, row_hash
from ingestion.session import memory_setting, open_session
from ingestion.sql import literal, quote
from pipeline.dbt.project import Mart
from pipeline.publishing.base import Version
from pipeline.publishing.changes import Change, RowHash, Types, compare, different_rows, in_ranges, range_of
from pipeline.publishing.declarations import Shape, additions, listed, shape_of, version_comment

# Clients from DuckDB 1.4 on can open this format, but not that of 2.0.
_STORAGE_VERSION = "v1.4.0"
# The rows of a mart that differ; more keys than this aren't kept in memory.
_DIFFERENT, _MANY_KEYS = "different", 1_000_000
# Stored in the file, so that its version and its marts always match.
_VERSION, _MARTS = "main.published_version", "main.published_marts"
_CONTENTS = pa.schema(
    [
        ("mart", pa.string()),
        ("row_count", pa.int64()),
        ("content_hash", pa.string()),
        ("ranged_by", pa.string()),
        ("ranges", pa.map_(pa.int64(), pa.string())),
    ]
)


@dataclass(frozen=True)
class Content:
    """A mart's digest, and its rows' by ranges of the key, whose SQL is `ranged_by`."""

    digest: Digest
    ranged_by: str = ""
    ranges: dict[int, str] = field(default_factory=dict)

    def differing(self, other: "Content | None") -> set[int] | None:
        """Return the ranges that another content has otherwise; None if that isn't known."""
        if other is None or other.ranged_by != self.ranged_by:
            return None
        return {at for at, _ in self.ranges.items() ^ other.ranges.items()} or None


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


def published_contents(connection: duckdb.DuckDBPyConnection, marts: list[Mart]) -> dict[str, Content]:
    """Return the published marts' stored contents, or digest them again if another algorithm made those."""
    known = {}
    if stored := columns_of(connection, "published", Mart(_MARTS)):
        # A file of an earlier release has no ranges.
        query = f"select {listed([name for name in _CONTENTS.names if name in stored])} from published.{_MARTS}"
        for mart, rows, content_hash, *ranges in connection.execute(query).fetchall():
            if is_comparable(content_hash):
                known[mart] = Content(Digest(rows, content_hash), *ranges)
    return {
        mart.relation: known.get(mart.relation) or content_of(connection, "published", mart)
        for mart in marts
        if columns_of(connection, "published", mart)
    }


def compare_mart(
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    old: str = "published",
    new: str = "warehouse",
    ranges: Collection[int] | None = None,
) -> Change:
    """Compare a mart's rows in two attached databases; leave those that differ in a temporary table.

    `ranges` holds the ranges of the key that have them, if that is known.
    """
    before, after = (columns_of(connection, database, mart) for database in (old, new))
    if before:
        _find_different(connection, mart, old, new, (before, after), ranges)
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
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    old: str,
    new: str,
    columns: tuple[Types, Types],
    ranges: Collection[int] | None,
) -> None:
    query = different_rows(mart, _row_hash(connection), _name(old, mart), _name(new, mart), columns, ranges)
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
    contents: dict[str, Content],
    there: dict[str, Content],
    different: dict[str, pa.Table],
) -> None:
    """Write a file with the built marts, what the project declares of them, its version, and each mart's content.

    The draft may be a copy of the published file, with these marts in it (`there`): only what differs is written. The
    keys of rows that differ may be known (`different`).
    """
    connection.execute(f"attach {literal(str(draft))} as draft (storage_version '{_STORAGE_VERSION}')")
    # One transaction, because each commit waits for the disk.
    connection.execute("begin")
    for mart in marts:
        built, was = contents[mart.relation], there.get(mart.relation)
        if was is None or (
            was.digest != built.digest and not _change_rows(connection, mart, built, was, different.get(mart.relation))
        ):
            connection.execute(f"create schema if not exists draft.{quote(mart.place[0])}")
            connection.execute(f"create or replace table {_name('draft', mart)} as from {_name('warehouse', mart)}")
            for statement in additions(_name("draft", mart), _indexed(shape_of(mart))):
                connection.execute(statement)
    connection.execute(
        f"create or replace table draft.{_VERSION} as select ?::date as run_date, ? as content_hash",
        [version.run_date, version.content_hash],
    )
    recorded = [
        {
            "mart": mart,
            "row_count": content.digest.rows,
            "content_hash": content.digest.content_hash,
            "ranged_by": content.ranged_by,
            "ranges": [*content.ranges.items()],
        }
        for mart, content in contents.items()
    ]
    connection.register("recorded", pa.Table.from_pylist(recorded, _CONTENTS))
    connection.execute(f"create or replace table draft.{_MARTS} as from recorded")
    connection.execute(f"comment on table draft.{_VERSION} is {literal(version_comment(marts))}")
    connection.execute("commit")
    connection.execute("detach draft")


def _change_rows(
    connection: duckdb.DuckDBPyConnection, mart: Mart, built: Content, was: Content, keys: pa.Table | None
) -> bool:
    """Replace the draft's rows that differ from the built ones; return whether the draft then has the built rows."""
    ranges = built.differing(was)
    old, new = (columns_of(connection, database, mart) for database in ("draft", "warehouse"))
    if not mart.is_keyed or old != new:
        return False
    draft, warehouse = _name("draft", mart), _name("warehouse", mart)
    if keys is None:
        _find_different(connection, mart, "draft", "warehouse", (old, new), ranges)
    else:
        connection.execute(f"create or replace temp table {_DIFFERENT} as from keys")
    is_different = f"({listed(mart.key)}) in (select ({listed(mart.key)}) from {_DIFFERENT})"
    connection.execute(f"delete from {draft} where {is_different}")
    connection.execute(f"insert into {draft} by name from {warehouse} where {is_different}")
    found = content_of(connection, "draft", mart, ranges)
    if ranges is None:
        return found.digest == built.digest
    ((rows,),) = connection.execute(f"select count(*) from {draft}").fetchall()
    return rows == built.digest.rows and found.ranges == {at: built.ranges[at] for at in ranges & built.ranges.keys()}


def marts_are_declared(connection: duckdb.DuckDBPyConnection, marts: list[Mart]) -> bool:
    """Return whether the published file has the marts' present descriptions and keys."""
    named = "database_name = 'published' and schema_name || '.' || table_name = ?"
    found = connection.execute(f"select comment from duckdb_tables() where {named}", [_VERSION]).fetchall()
    return found == [(version_comment(marts),)]


def digest_mart(connection: duckdb.DuckDBPyConnection, database: str, mart: Mart) -> Digest:
    """Digest a mart's rows in an attached database."""
    return digest_rows(connection, _name(database, mart))


def content_of(
    connection: duckdb.DuckDBPyConnection, database: str, mart: Mart, ranges: Collection[int] | None = None
) -> Content:
    """Digest a mart's rows in an attached database by ranges of the key, all or those in `ranges`."""
    range_ = range_of(mart, columns_of(connection, database, mart))
    chosen = in_ranges(mart, range_, ranges) if ranges else "true"
    digest, found = digest_ranges(connection, f"(select * from {_name(database, mart)} where {chosen}) as rows", range_)
    return Content(digest, range_, found)


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
