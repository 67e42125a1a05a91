"""A source that is one CSV file with declared columns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from ingestion.errors import BadRequest
from ingestion.landing import Manifest
from ingestion.settings import PROJECT, Home, source_setting
from ingestion.sources.base import Source
from ingestion.sources.csv import CsvReading, CsvShape
from ingestion.sources.csv_sniffing import sniff
from ingestion.sources.looking import Looked


@dataclass(frozen=True)
class CsvSource(Source):
    """The file at `sources.<name>.path`, or its sample; of one that grew, only the new lines are read."""

    mended: Path | None = None

    def __post_init__(self) -> None:
        columns, delimiter, section = self.shape.columns, self.shape.delimiter, self.settings.section
        if not isinstance(columns, dict) or not columns or not all(isinstance(one, str) for one in columns.values()):
            raise BadRequest(f"{section}: expected columns, each with its DuckDB type")
        if not isinstance(delimiter, str) or len(delimiter) != 1:
            raise BadRequest(f"{section}: expected one character as delimiter")

    @property
    def shape(self) -> CsvShape:
        """The declared dialect and columns."""
        entries = self.settings.entries
        return CsvShape(self.name, entries.get("delimiter", ","), entries.get("columns", {}))

    @property
    def area(self) -> str:
        return self.kind  # its table has its name

    @property
    def place(self) -> str | None:
        """The configured path. For a source that you added, a relative one begins at the project's root."""
        if not (path := source_setting(self.name, "path")):
            return None
        return path if self.settings.has_sample else str(PROJECT / Path(path).expanduser())

    def declared_schemas(self) -> dict[str, pa.Schema]:
        return {self.name: self.shape.schema()}

    def reading_from(self, path: Path) -> "CsvSource":
        """Return this source reading a mended copy of its file; it stays a sample if it was one."""
        return replace(self, mended=path)

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path, before: Manifest | None = None) -> Iterator[CsvReading]:
        if self.mended:
            yield CsvReading(self.mended, self.shape, work)
            return
        with self.located(home) as path:
            table = before.tables.get(self.name) if before else None
            yield CsvReading(Path(path).expanduser(), self.shape, work, table.bookmark if table else None)


def look_at_csv(name: str, *, path: Path) -> Looked:
    """Read a whole file, which becomes one table; raises BadRequest when it can't be a source."""
    path = path.expanduser().resolve()
    if not path.is_file():
        raise BadRequest(f"{path} can't be read: no such file")
    delimiter, table = sniff(name, path)
    return Looked(
        title="A CSV file",
        origin="file",
        tables=[table],
        settings={
            # So that the project may be moved together with its files.
            "path": str(path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path),
            "delimiter": delimiter,
            "max_rejected_share": 0.9,
            "columns": table.columns,
        },
    )
