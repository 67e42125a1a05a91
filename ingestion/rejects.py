"""Rejected rows: their caps, and their content."""

from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from ingestion.errors import StepFailed
from ingestion.landing import Landing, Manifest, Table
from ingestion.redact import show_text
from ingestion.settings import setting_variable, source_number
from ingestion.sources import REJECT_SCHEMA

_ROWS, _SHARE = "max_rejected_rows", "max_rejected_share"
_EXAMPLES = 3
# A file, or list, of which more than nine rows in ten can't be read isn't the declared one.
_DEFAULT_SHARES = {"csv": "0.9", "api": "0.9", "people": "0.9"}


@dataclass(frozen=True)
class Caps:
    """How many of a table's rows, and which share of them (0 to 1), may be rejected; None is no limit."""

    source: str
    rows: int | None
    share: Decimal | None

    def exceeded(self, rejected: int, read: int) -> str | None:
        """Return which cap is exceeded and the variable that sets it, None when none is."""
        if self.rows is not None and rejected > self.rows:
            return f"{_ROWS} = {self.rows} ({setting_variable(self.source, _ROWS)})"
        if self.share is not None and rejected > self.share * read:
            return f"{_SHARE} = {self.share} ({setting_variable(self.source, _SHARE)})"
        return None


def read_caps(source: str, kind: str) -> Caps:
    """Return the caps of a source of this kind; raises BadRequest naming a variable that isn't a count or a share."""
    rows = source_number(source, _ROWS, least=0, whole=True)
    # Decimal, so that 9 of 10 is exactly 0.9.
    share = source_number(source, _SHARE, _DEFAULT_SHARES.get(kind), least=0, most=1)
    return Caps(source, None if rows is None else int(rows), share)


def refuse_past_caps(caps: Caps, tables: dict[str, Table], manifest: Manifest, landing: Landing) -> None:
    """Raise StepFailed, with examples from the manifest's files, when a table exceeds its caps."""
    for name, table in tables.items():
        read = table.rows + table.rejected_rows
        if passed := caps.exceeded(table.rejected_rows, read):
            raise StepFailed(
                f"table {name}: {table.rejected_rows:,} of {read:,} rows can't be read, more than {passed} allows",
                findings=_examples(read_rejects(landing, manifest), name),
            )


def read_rejects(landing: Landing, manifest: Manifest) -> pa.Table:
    """Return a landed day's rejected rows, in their files' order; raises StepFailed when a file is damaged."""
    with landing.local(manifest.source, manifest.run_date, manifest.rejects) as paths:
        tables = [parquet.ParquetFile(path).read() for path in paths]
    return pa.concat_tables([REJECT_SCHEMA.empty_table(), *tables])


def _examples(rejects: pa.Table, table: str) -> list[str]:
    """Quote the first rejects of a table; a row of a database has no line number."""
    found = rejects.filter(compute.equal(rejects["table"], table)).slice(0, _EXAMPLES).to_pylist()
    lines = ("" if row["line_number"] is None else f"line {row['line_number']} " for row in found)
    return [f"{line}{row['rule']}: {show_text(row['raw_text'] or '')}" for line, row in zip(lines, found, strict=True)]
