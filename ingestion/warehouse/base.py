"""The interface of a warehouse beside dbt: load a day from landing, and report its state."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from ingestion.errors import StepFailed
from ingestion.landing import Totals

OPS = "raw_ops"

# One row for each loaded day and raw table, from the day's manifests as of the load.
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
        ("is_sample", pa.bool_()),
        # NULL for days that landed before sources were counted and summed.
        ("read_count", pa.int64()),
        ("source_key_sum", pa.decimal128(38, 0)),
        ("source_amount_sum", pa.decimal128(38, 4)),
        ("landing_key_sum", pa.decimal128(38, 0)),
        ("landing_amount_sum", pa.decimal128(38, 4)),
    ]
)

# The rejects of every loaded day, line by line.
REJECTED_LINES = pa.schema(
    [
        ("run_date", pa.date32()),
        ("source", pa.string()),
        ("table_name", pa.string()),
        ("file", pa.string()),
        ("line_number", pa.int64()),
        ("rule", pa.string()),
        ("raw_text", pa.string()),
    ]
)

# The ledger's entries for every step of every day; times are UTC.
PIPELINE_STEPS = pa.schema(
    [
        ("run_date", pa.date32()),
        ("step", pa.string()),
        ("source", pa.string()),
        ("target", pa.string()),
        ("state", pa.string()),
        ("started_at", pa.timestamp("us")),
        ("ended_at", pa.timestamp("us")),
        ("row_count", pa.int64()),
        ("error", pa.string()),
        ("command", pa.string()),
        ("accepted", pa.string()),
        ("run_at", pa.timestamp("us")),
    ]
)

# The first day of each source that doesn't exist on all days, NULL if it exists on none.
SOURCE_DAYS = pa.schema([("raw_schema", pa.string()), ("since", pa.date32())])

OPS_TABLES = {"landed_tables": LANDED_TABLES, "rejected_lines": REJECTED_LINES, "pipeline_steps": PIPELINE_STEPS}

LANDED_COLUMNS = ", ".join(LANDED_TABLES.names)
_CONTENT_COLUMNS = LANDED_TABLES.names.index("run_id")


@dataclass(frozen=True)
class RawTable:
    """One table's landed partition and its target; `schema` is its Arrow schema without `_run_date`."""

    source: str
    raw_schema: str
    name: str
    files: list[Path]
    schema: pa.Schema
    rows: int
    rejected_rows: int
    content_hash: str
    run_id: str
    is_sample: bool = False
    read_rows: int | None = None
    totals: dict[str, Totals] = field(default_factory=dict)

    @property
    def raw_columns(self) -> pa.Schema:
        """The raw table's columns: the source's and Tradewinds' own."""
        return with_plumbing(self.schema)

    def landed_row(self, run_date: str) -> list[str | int | bool | Decimal | None]:
        """Return its row in `landed_tables`, in the order of LANDED_COLUMNS."""
        counts = [self.rows, self.rejected_rows]
        names = [run_date, self.source, self.name, self.raw_schema]
        sums = [total for stage in ("source", "landing") for total in self._sums(stage)]
        return [*names, *counts, self.content_hash, self.run_id, self.is_sample, self.read_rows, *sums]

    def _sums(self, stage: str) -> list[Decimal | None]:
        totals = self.totals.get(stage, Totals())
        return [Decimal(total) if total is not None else None for total in (totals.key, totals.amount)]


@dataclass(frozen=True)
class Rejects:
    """The files with a day's rejects, and their number of rows."""

    files: list[Path] = field(default_factory=list)
    rows: int = 0

    def check(self, inserted: int) -> None:
        """Raise StepFailed unless this many rows were inserted into `rejected_lines`."""
        if inserted != self.rows:
            raise StepFailed(f"{self.rows} rows were rejected, but {inserted} were loaded")


NO_REJECTS = Rejects()


@dataclass(frozen=True)
class BuildMark:
    """The state of the marts: those of `run_date` if `state` is 'built', else unfinished, failed or stale.

    Every build has a new `build_id`.
    """

    run_date: str
    state: str
    build_id: str


def with_plumbing(columns: pa.Schema) -> pa.Schema:
    """Return a raw table's columns: the source's and Tradewinds' own."""
    return columns.append(pa.field("_run_date", pa.date32()))


def source_days_columns(tables: dict[tuple[str, str], pa.Schema]) -> dict[tuple[str, str], pa.Schema]:
    """Return the columns of `raw_ops.source_days` and of these raw tables, by schema and table."""
    return {(OPS, "source_days"): SOURCE_DAYS} | {place: with_plumbing(columns) for place, columns in tables.items()}


def wanted_columns(tables: list[RawTable]) -> dict[tuple[str, str], pa.Schema]:
    """Return the columns of these raw tables and of all `raw_ops` tables, by schema and table."""
    wanted = {(OPS, name): columns for name, columns in OPS_TABLES.items()}
    return wanted | {(table.raw_schema, table.name): table.raw_columns for table in tables}


def are_there(wanted: dict[tuple[str, str], pa.Schema], columns: list[tuple[str, str, str]]) -> bool:
    """Return whether every wanted column is in these (schema, table, column), so that dlt has nothing to add."""
    held = set(columns)
    return all((*place, name) in held for place, schema in wanted.items() for name in schema.names)


def contents(landed: list[tuple]) -> list[tuple]:
    """Return the data's description in `landed_tables` rows, without the run id and the counts of reading."""
    return [row[:_CONTENT_COLUMNS] for row in landed]


class Warehouse(Protocol):
    """An engine's warehouse."""

    def serving(self) -> AbstractContextManager[None]:
        """Keep the engine reachable for this process and for dbt during the block."""

    def load_day(
        self, run_date: str, sources: list[str], tables: list[RawTable], rejects: Rejects = NO_REJECTS
    ) -> None:
        """Replace the named sources' rows and rejects of a day in one transaction.

        Mark the marts stale if rows that they were built from change.
        """

    def record_steps(self, steps: pa.Table) -> None:
        """Replace `raw_ops.pipeline_steps` by these rows (PIPELINE_STEPS), in a separate transaction."""

    def refresh(self, relation: str, view: str) -> None:
        """Replace the rows of a built mart by those of a view with the same columns (both `schema.table`)."""

    def record_sources(self, days: pa.Table, tables: dict[tuple[str, str], pa.Schema]) -> None:
        """Replace `raw_ops.source_days` by these rows (SOURCE_DAYS), and create missing raw tables.

        `tables` holds the sources' columns by schema and table.
        """

    def loaded_runs(self, run_date: str) -> dict[str, str]:
        """Return the run ids of the extracts loaded for a day, by source; empty when nothing is loaded."""

    def history_days(self) -> list[str]:
        """Return the run dates in history, oldest first."""

    def build_mark(self) -> BuildMark | None:
        """Return the state of the marts, None before the first build."""

    def has(self, relation: str) -> bool:
        """Return whether a mart (`schema.table`) exists; False without a warehouse."""

    def reading(self, relation: str, order_by: list[str]) -> AbstractContextManager[pa.RecordBatchReader]:
        """Open a mart (`schema.table`) as a stream of Arrow batches in this row order, or in any order if it is empty.

        `order_by` holds column names, ascending unless ` desc` follows; raises StepFailed on an unknown one.
        """

    def sorting(self, relation: str, order_by: list[str]) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open a DuckDB session with a table `sorted_mart` of a mart's rows, ordered as by `reading`."""

    def audit_url(self) -> str:
        """Return a SQLAlchemy URL that opens the warehouse for reading; it may hold a password, so never show it."""

    @property
    def namespace(self) -> tuple[str, str]:
        """The namespace and database of its tables, by OpenLineage's naming."""

    def built_relation(self, relation: str) -> str:
        """Return the quoted SQL name of the built mart `schema.table`."""

    def release(self) -> None:
        """Close the connections that dbt still holds in this process."""
