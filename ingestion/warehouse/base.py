"""What Tradewinds asks of a warehouse beside dbt: take a day's landing in, and say what it stands at."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

OPS = "raw_ops"

# One row a loaded day and raw table: what the day's manifests said when it was loaded.
LANDED_TABLES = pa.schema(
    [
        ("run_date", pa.date32()),
        ("source", pa.string()),
        ("table_name", pa.string()),
        ("raw_schema", pa.string()),
        ("row_count", pa.int64()),
        ("rejected_count", pa.int64()),
        ("content_hash", pa.string()),
        ("run_id", pa.string()),
    ]
)

LANDED_COLUMNS = ", ".join(LANDED_TABLES.names)


@dataclass(frozen=True)
class RawTable:
    """One table's landed partition and where it goes; `schema` is its Arrow schema without `_run_date`."""

    source: str
    raw_schema: str
    name: str
    files: list[Path]
    schema: pa.Schema
    rows: int
    rejected_rows: int
    content_hash: str
    run_id: str

    @property
    def raw_columns(self) -> pa.Schema:
        """The raw table's columns: the source's and the plumbing."""
        return self.schema.append(pa.field("_run_date", pa.date32()))

    def landed_row(self, run_date: str) -> list[str | int]:
        """Return its row of `landed_tables`, in the order of LANDED_COLUMNS."""
        counts = [self.rows, self.rejected_rows]
        return [run_date, self.source, self.name, self.raw_schema, *counts, self.content_hash, self.run_id]


@dataclass(frozen=True)
class BuildMark:
    """What the marts are: those of `run_date` when `state` is 'built', else unfinished, failed or stale.

    `build_id` is the build's own, a new one with every build.
    """

    run_date: str
    state: str
    build_id: str


def contents(landed: list[tuple]) -> list[tuple]:
    """Return what rows of `landed_tables` say of the data, without the run that brought it."""
    return [row[:-1] for row in landed]


class Warehouse(Protocol):
    """An engine's warehouse."""

    def serving(self) -> AbstractContextManager[None]:
        """Keep the engine reachable, for this process and for dbt, while the block lasts."""

    def load_day(self, run_date: str, sources: list[str], tables: list[RawTable]) -> None:
        """Replace the named sources' rows of a day by these tables, all in one transaction.

        Where that changes rows the marts were built from, it marks them stale.
        """

    def loaded_runs(self, run_date: str) -> dict[str, str]:
        """Return the run ids of the extracts that were loaded for a day, by source; empty when nothing was."""

    def history_days(self) -> list[str]:
        """Return the run dates that history comprises, oldest first."""

    def build_mark(self) -> BuildMark | None:
        """Return what the marts are, None before the first build."""

    def has(self, relation: str) -> bool:
        """Say whether a mart (`schema.table`) exists; there is none without a warehouse."""

    def reading(self, relation: str, order_by: list[str]) -> AbstractContextManager[pa.RecordBatchReader]:
        """Open a mart (`schema.table`) as a stream of Arrow batches in this row order, in any when it is empty."""

    def audit_url(self) -> str:
        """Return a SQLAlchemy URL that opens the warehouse for reading; it may hold a password: never show it."""

    def built_relation(self, relation: str) -> str:
        """Return where the built mart `schema.table` stands, quoted for SQL."""

    def release(self) -> None:
        """Let go of the connections that dbt, run in this process, still holds."""
