"""Find what has changed in a table since an earlier day, row by row, and write only that."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet

from ingestion.digest import row_hash
from ingestion.landing.rows import REMOVED, Rows
from ingestion.session import open_session
from ingestion.sql import quote

# Leaves room for the rest of an extract; DuckDB puts more than that on disk.
_MEMORY = "160MB"
_BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Change:
    """The rows that a day adds to an earlier one, and those that it no longer has; no file where there are none."""

    added: Path | None
    added_rows: int
    removed: Path | None
    removed_rows: int

    @property
    def bytes(self) -> int:
        """The size of both files."""
        return sum(path.stat().st_size for path in (self.added, self.removed) if path)


def find_change(
    earlier: Rows, draft: Path, schema: pa.Schema, *, at_most: int, key: tuple[str, ...] | None = None
) -> Change | None:
    """Compare the rows of a file with an earlier day's; return None when more than `at_most` rows differ.

    The file has the whole table, or with a `key` rows that replace the earlier ones with the same key. Equal rows may
    occur more than once: each one counts. The results are written beside the file.
    """
    with open_session(memory=_MEMORY) as session:
        session.execute(f"set temp_directory = '{str(draft.parent).replace(chr(39), 2 * chr(39))}/spilled'")
        session.execute("set preserve_insertion_order = false")
        later = Rows([draft])
        _, hashed = row_hash(session, later.relation(), schema.names, later.parameters)
        place = "file_index as _tw_file, file_row_number as _tw_row"
        before, after = earlier.relation(place), later.relation(place)
        if key:
            same = " and ".join(f"earlier.{quote(name)} is not distinct from later.{quote(name)}" for name in key)
            before = f"(select earlier.* from {before} as earlier semi join {after} as later on {same})"
        parameters = [*earlier.parameters, *(later.parameters if key else []), *later.parameters]
        rows = [f"select {hashed} as _tw_hash, {side} as _tw_side from {one}" for side, one in ((-1, before), (1, after))]
        session.execute(
            f"create temp table differing as select _tw_hash, sum(_tw_side)::bigint as _tw_more from ({' union all '.join(rows)}) "
            "group by _tw_hash having sum(_tw_side) <> 0",
            parameters,
        )
        counted = "select coalesce(sum(greatest(_tw_more, 0)), 0), coalesce(sum(greatest(-_tw_more, 0)), 0) from differing"
        added, removed = session.execute(counted).fetchall()[0]
        if added + removed > at_most:
            return None
        gone = (
            f"select list_extract(?, _tw_file + 1) as file_path, _tw_row as pos from ({_differing(before, hashed, '-')}) "
            "order by file_path, pos"
        )
        new = f"select * exclude (_tw_file, _tw_row, _tw_hash, _tw_more) from ({_differing(after, hashed, '')}) order by _tw_row"
        return Change(
            _write(session, new, later.parameters, schema, draft.with_suffix(".added")) if added else None,
            int(added),
            _write(session, gone, [earlier.names, *parameters[:-1]], REMOVED, draft.with_suffix(".removed"))
            if removed
            else None,
            int(removed),
        )


def _differing(relation: str, hashed: str, sign: str) -> str:
    """Return SQL for the rows that one side has more often: so many of each, the last ones."""
    last = "row_number() over (partition by _tw_hash order by _tw_file desc, _tw_row desc)"
    rows = f"(select *, {hashed} as _tw_hash from {relation})"
    return f"select * from {rows} inner join differing using (_tw_hash) where {sign}_tw_more > 0 qualify {last} <= {sign}_tw_more"


def _write(session: duckdb.DuckDBPyConnection, query: str, parameters: list, schema: pa.Schema, path: Path) -> Path:
    """Write a query's rows with exactly these Arrow types."""
    with parquet.ParquetWriter(path, schema) as writer:
        for batch in session.execute(query, parameters).to_arrow_reader(_BATCH_ROWS):
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))
    return path
