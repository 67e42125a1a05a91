"""A CSV source defined by settings alone: its file and its columns."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ingestion.errors import BadRequest
from ingestion.own_sources import OwnSettings
from ingestion.settings import PROJECT
from ingestion.sources.csv import CsvShape
from ingestion.sources.csv_sniffing import sniff
from ingestion.sources.csv_source import CsvSource
from ingestion.sources.own import Looked, Own


@dataclass(frozen=True)
class OwnCsv(Own, CsvSource):
    """The file at the configured path; a relative one begins at the project's root."""

    @property
    def configured_path(self) -> str | None:
        path = self.settings.entries.get("path")
        return str(PROJECT / Path(path).expanduser()) if path else None

    def declared_schemas(self) -> dict[str, pa.Schema]:
        return {self.shape.table: self.shape.schema()}


def make_own_csv(settings: OwnSettings) -> OwnCsv:
    """Return the source for these settings; raises BadRequest when they can't be read."""
    columns, delimiter = settings.entries.get("columns"), settings.entries.get("delimiter", ",")
    if not isinstance(columns, dict) or not columns or not all(isinstance(type_, str) for type_ in columns.values()):
        raise BadRequest(f"{settings.section}: expected columns, each with its DuckDB type")
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise BadRequest(f"{settings.section}: expected one character as delimiter")
    shape = CsvShape(table=settings.name, delimiter=delimiter, columns=columns)
    return OwnCsv(name=settings.name, raw_schema=settings.raw_schema, shape=shape, settings=settings)


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
