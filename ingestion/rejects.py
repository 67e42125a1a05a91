"""Rejected rows: their caps, and their content."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from ingestion.errors import BadRequest, StepFailed
from ingestion.landing import Landing, Manifest, Table
from ingestion.redact import show_text
from ingestion.settings import setting_variable, source_setting
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
    rows = source_setting(source, _ROWS)
    share = source_setting(source, _SHARE, _DEFAULT_SHARES.get(kind))
    return Caps(
        source,
        None if rows is None else _parse_count(source, rows),
        None if share is None else _parse_share(source, share),
    )


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


def _parse_count(source: str, value: object) -> int:
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise _unreadable(source, _ROWS, "a count of rows, 0 or more", value)
    return int(text)


def _parse_share(source: str, value: object) -> Decimal:
    # Decimal, so that 9 of 10 is exactly 0.9.
    try:
        share = Decimal(str(value))
    except InvalidOperation:
        share = Decimal("nan")
    if not (share.is_finite() and 0 <= share <= 1):
        raise _unreadable(source, _SHARE, "a number from 0 to 1", value)
    return share


def _unreadable(source: str, name: str, expected: str, value: object) -> BadRequest:
    return BadRequest(f"{setting_variable(source, name)} can't be read: expected {expected}, found {str(value)!r}")
