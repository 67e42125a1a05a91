"""Read a CSV file with declared columns as Arrow: every line is a row, or a reject with its number and text."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from ingestion.errors import StepFailed
from ingestion.redact import one_line, show_text
from ingestion.session import open_session
from ingestion.sources.base import Bookmark, Increment, Reading
from ingestion.sources.csv_lines import UNREADABLE, LineFilter
from ingestion.sources.duckdb_types import arrow_schema, duckdb_types

_BATCH_ROWS = 131_072
_KEPT_BYTES = 9_990  # a character may be cut off, too


@dataclass(frozen=True)
class CsvShape:
    """A file's declared dialect and columns (DuckDB types). Each line is a record: fields can't contain newlines."""

    table: str
    delimiter: str
    columns: dict[str, str]

    @property
    def text(self) -> str:
        """It as text, for comparison."""
        return json.dumps([self.delimiter, self.columns])

    def schema(self) -> pa.Schema:
        """Return the columns as an Arrow schema; raises BadRequest on a type that DuckDB doesn't know."""
        return arrow_schema(self.table, self.columns)


class CsvReading(Reading):
    """One file, read in two passes: the first rejects lines that parsers misread, then DuckDB types the rest.

    Of a file that grew since the bookmark of an earlier reading, only the new lines are read.
    """

    def __init__(self, path: Path, shape: CsvShape, work: Path, since: Bookmark | None = None):
        """Make the first pass; raises StepFailed when the file is missing or its header isn't the declared one."""
        self._path = path
        self._shape = shape
        self._clean = work / "lines.csv"
        self._misread: list[dict] = []
        is_same_shape = since is not None and since.get("shape") == shape.text
        self._lines = self._pass_over(since if is_same_shape else None)

    def _pass_over(self, since: Bookmark | None) -> LineFilter:
        path, shape = self._path, self._shape
        lines = LineFilter(path, shape.delimiter, duckdb_types(shape.schema()), self._clean, since)
        try:
            lines.run()
        except UNREADABLE as error:
            raise StepFailed(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from error
        header = lines.header()
        if header != list(shape.columns):
            expected = shape.delimiter.join(shape.columns)
            # A blank that isn't expected would not be seen.
            shown = (f"'{field}'" if field != field.strip() else field for field in header)
            found = show_text(shape.delimiter.join(shown), 200) or "an empty file"
            raise StepFailed(f"{path} has the wrong header: expected {expected}, found {found}")
        return lines

    def schemas(self) -> dict[str, pa.Schema]:
        return {self._shape.table: self._shape.schema()}

    def read(self, table: str) -> Iterator[pa.Table]:
        schema, shape = self.schemas()[table], self._shape
        parameters = {"path": str(self._lines.clean), "delimiter": shape.delimiter, "columns": shape.columns}
        # A temporary table holds the rejects, so the connection stays open until they are read.
        with open_session() as connection:
            try:
                reader = connection.sql(_READ, params=parameters).to_arrow_reader(_BATCH_ROWS)
                for batch in reader:
                    yield pa.Table.from_batches([batch]).cast(schema)
            except duckdb.Error as error:
                raise StepFailed(f"{self._path} can't be parsed: {one_line(error)}") from error
            self._misread = [
                self._reject(self._lines.original_number(line), rule, self._whole_line(text, start))
                for line, rule, text, start in connection.execute(_REJECTS).fetchall()
            ]

    def read_whole(self, table: str) -> Iterator[pa.Table]:
        self._lines = self._pass_over(None)
        return self.read(table)

    def increment(self, table: str) -> Increment | None:
        return Increment((), self.bookmark(table), self._path.name) if self._lines.is_tail else None

    def bookmark(self, table: str) -> Bookmark:
        return self._lines.passed() | {"shape": self._shape.text}

    def rejects(self, table: str) -> list[dict]:
        unsafe = [self._reject(*rejected) for rejected in self._lines.rejected]
        return sorted(unsafe + self._misread, key=lambda reject: reject["line_number"])

    def count(self, table: str) -> int:
        return self._lines.records

    def _whole_line(self, text: str, start: int) -> str:
        """Return a line of the clean copy, of which DuckDB keeps only the first 10,000 bytes."""
        if len(text.encode()) < _KEPT_BYTES:
            return text
        with self._lines.clean.open("rb") as clean:
            clean.seek(start - 1)
            return clean.readline().decode().rstrip("\n")

    def _reject(self, line: int, rule: str, text: str) -> dict:
        return {
            "table": self._shape.table,
            "file": self._path.name,
            "line_number": line,
            "rule": rule,
            "raw_text": text,
        }


_READ = r"""
select *
from read_csv(
    $path, auto_detect = false, header = true, delim = $delimiter, quote = '"', escape = '"', new_line = '\n',
    columns = $columns, strict_mode = true, null_padding = false, store_rejects = true,
    rejects_limit = 0, buffer_size = 4000000
)
"""

# One reject a line, for its first error; the text lacks the newline that DuckDB may put before it.
_REJECTS = """
select
    line,
    arg_min(
        case
            when error_type = 'CAST' then column_name || ' has the wrong type'
            else lower(error_type)
        end,
        column_idx
    ) as rule,
    trim(any_value(csv_line), chr(10)) as raw_text,
    min(line_byte_position) as start
from reject_errors
group by line
order by line
"""
