"""The tables of `raw_ops`, and what a day's load is made of."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from ingestion.landing import Rows, Table, Totals
from ingestion.sources.base import REJECT_SCHEMA

OPS = "raw_ops"
# Columns by schema and table.
Columns = dict[tuple[str, str], pa.Schema]
NO_COLUMNS: Columns = {}

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

# The rejects of every loaded day, line by line, as they have landed.
REJECTED_LINES = pa.schema(field.with_name("table_name") if field.name == "table" else field for field in REJECT_SCHEMA)

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

OPS_TABLES: Columns = {
    (OPS, "landed_tables"): LANDED_TABLES,
    (OPS, "rejected_lines"): REJECTED_LINES,
    (OPS, "pipeline_steps"): PIPELINE_STEPS,
}


@dataclass(frozen=True)
class RawTable:
    """One table's landed day and its target; `schema` is its Arrow schema without `_run_date`."""

    source: str
    raw_schema: str
    name: str
    rows: Rows
    schema: pa.Schema
    landed: Table
    is_sample: bool = False

    def landed_row(self, run_date: str) -> list[str | int | bool | Decimal | None]:
        """Return its row in `landed_tables`."""
        place, landed = [run_date, self.source, self.name, self.raw_schema], self.landed
        stages = [landed.totals.get(stage, Totals()) for stage in ("source", "landing")]
        sums = [None if total is None else Decimal(total) for one in stages for total in (one.key, one.amount)]
        counts = [landed.rows, landed.rejected_rows]
        return [*place, *counts, landed.content_hash, landed.run_id, self.is_sample, landed.read_rows, *sums]


@dataclass(frozen=True)
class Rejects:
    """The files with a day's rejects, and their number of rows."""

    files: list[Path] = field(default_factory=list)
    rows: int = 0


NO_REJECTS = Rejects()


@dataclass(frozen=True)
class BuildMark:
    """The state of the marts: those of `run_date` if `state` is 'built', else unfinished, failed or stale.

    Every build has a new `build_id`.
    """

    run_date: str
    state: str
    build_id: str
