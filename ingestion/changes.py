"""Find what has changed in a table since an earlier day, row by row, and write only that."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet

from ingestion.digest import row_hash
from ingestion.landing.rows import REMOVED, Rows
from ingestion.session import READ_PARQUET, open_session
from ingestion.sql import literal, quote

# Leaves room for the rest of an extract; DuckDB puts more than that on disk.
_MEMORY = "112MB"
_BATCH_ROWS = 65_536
_PLACE = ("file_index as _tw_file", "file_row_number as _tw_row")


@dataclass(frozen=True)
class Change:
    """Files with the rows that a day adds to an earlier one, and the places of those that it no longer has."""

    added: Path | None = None
    added_rows: int = 0
    removed: Path | None = None
    removed_rows: int = 0

    @property
    def bytes(self) -> int:
        """The size of both files."""
        return sum(path.stat().st_size for path in (self.added, self.removed) if path)


def find_change(
    earlier: Rows, draft: Path, schema: pa.Schema, *, key: tuple[str, ...] | None = None, at_most: int | None = None
) -> Change | None:
    """Compare the rows of a file with an earlier day's; return None when more than `at_most` rows differ.

    The file has the whole table, or with a `key` rows that replace the earlier ones with the same key; with an empty
    one they are added. Equal rows may occur more than once: each one counts. The results are written beside the file.
    """
    later = Rows([draft])
    before, after = earlier.relation(*_PLACE), later.relation(*_PLACE)
    parameters = earlier.parameters
    if key is not None:
        same = " and ".join(f"earlier.{quote(name)} is not distinct from later.{quote(name)}" for name in key)
        before = f"(select earlier.* from {before} as earlier semi join {after} as later on {same or 'false'})"
        parameters = [*parameters, *later.parameters]
    with _session(draft) as session:
        _, hashed = row_hash(session, later.relation(), schema.names, later.parameters)
        hashes = f"select {hashed} as _tw_hash"
        session.execute(
            "create temp table differing as select _tw_hash, sum(_tw_side)::bigint as _tw_more "
            f"from ({hashes}, -1 as _tw_side from {before} union all {hashes}, 1 as _tw_side from {after}) "
            "group by _tw_hash having sum(_tw_side) <> 0",
            [*parameters, *later.parameters],
        )
        counted = "coalesce(sum(greatest(_tw_more, 0)), 0)::bigint, coalesce(sum(greatest(-_tw_more, 0)), 0)::bigint"
        added, removed = session.execute(f"select {counted} from differing").fetchall()[0]
        if at_most is not None and added + removed > at_most:
            return None
        new = "select * exclude (_tw_file, _tw_row, _tw_hash, _tw_more) from " + _differing(after, hashed, "")
        gone = "select list_extract(?, _tw_file::bigint + 1) as file_path, _tw_row as pos from " + _differing(
            before, hashed, "-"
        )
        return _change(
            session, draft, schema, (added, new, later.parameters), (removed, gone, [earlier.names, *parameters])
        )


def fold(rows: Rows, kept: int, schema: pa.Schema, draft: Path) -> Change:
    """Write the rows of all files but the first `kept` ones anew, and the places that are removed of the first ones."""
    with _session(draft) as session:
        new = f"(select * exclude (_tw_file, _tw_row) from {rows.relation(*_PLACE)} where _tw_file >= {kept})"
        gone = f"(select * from {READ_PARQUET} where list_contains(?, file_path))"
        gone_parameters = [list(map(str, rows.removed)), rows.names[:kept]]

        def count(query: str, parameters: list[Any]) -> int:
            return session.execute(f"select count(*) from {query}", parameters).fetchall()[0][0]

        removed = count(gone, gone_parameters) if rows.removed and kept else 0
        return _change(
            session,
            draft.with_suffix(".folded"),
            schema,
            (count(new, rows.parameters), f"from {new}", rows.parameters),
            (removed, f"from {gone} order by file_path, pos", gone_parameters),
        )


@contextmanager
def _session(draft: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_session(memory=_MEMORY) as session:
        session.execute(f"set temp_directory = {literal(str(draft.parent / 'spilled'))}")
        yield session


def _differing(relation: str, hashed: str, sign: str) -> str:
    """Return SQL for the rows that one side has more often: so many of each, the last ones."""
    last = "row_number() over (partition by _tw_hash order by _tw_file desc, _tw_row desc)"
    rows = f"(select *, {hashed} as _tw_hash from {relation})"
    return (
        f"(from {rows} inner join differing using (_tw_hash) "
        f"where {sign}_tw_more > 0 qualify {last} <= {sign}_tw_more) order by _tw_file, _tw_row"
    )


Asked = tuple[int, str, list[Any]]


def _change(session: duckdb.DuckDBPyConnection, draft: Path, schema: pa.Schema, added: Asked, removed: Asked) -> Change:
    """Write a change: each side is a number of rows and a query for them with its parameters."""

    def write(asked: Asked, columns: pa.Schema, suffix: str) -> Path | None:
        rows, query, parameters = asked
        if not rows:
            return None
        path = draft.with_suffix(f"{draft.suffix}.{suffix}")
        with parquet.ParquetWriter(path, columns) as writer:
            for batch in session.sql(query, params=parameters).to_arrow_reader(_BATCH_ROWS):
                writer.write_table(pa.Table.from_batches([batch]).cast(columns))
        return path

    return Change(write(added, schema, "added"), added[0], write(removed, REMOVED, "removed"), removed[0])
