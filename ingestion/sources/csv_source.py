"""A source that is one CSV file with declared columns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.settings import Home, source_setting
from ingestion.sources.base import Source
from ingestion.sources.csv import CsvReading, CsvShape


@dataclass(frozen=True)
class CsvSource(Source):
    """The file at `sources.<name>.path`, or its sample: the whole table as of the run date."""

    name: str
    raw_schema: str
    shape: CsvShape
    area: str = "csv"
    mended: Path | None = None

    def is_sample(self, home: Home) -> bool:
        return not self.configured_path

    @property
    def configured_path(self) -> str | None:
        """The configured path, None when there is none."""
        return source_setting(self.name, "path")

    def reading_from(self, path: Path) -> "CsvSource":
        """Return this source reading a mended copy of its file; it stays a sample if it was one."""
        return replace(self, mended=path)

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path) -> Iterator[CsvReading]:
        configured = self.mended or self.configured_path
        if not configured:
            from ingestion.samples.defaults import sample_file

            configured = sample_file(home, self.name)
        yield CsvReading(Path(configured).expanduser(), self.shape, work)
