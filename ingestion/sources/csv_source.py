"""A source that is one CSV file with declared columns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.samples.defaults import sample_file
from ingestion.settings import Home, source_setting
from ingestion.sources.csv import CsvReading, CsvShape
from ingestion.totals import ControlTotals


@dataclass(frozen=True)
class CsvSource:
    """The file at `sources.<name>.path`, or its sample; it is the whole table as it stands on the run date."""

    name: str
    raw_schema: str
    shape: CsvShape
    control: ControlTotals
    area: str = "csv"
    tables_with_history: frozenset[str] = frozenset()
    mended: Path | None = None

    @property
    def control_totals(self) -> dict[str, ControlTotals]:
        return {self.shape.table: self.control}

    def is_sample(self, home: Home) -> bool:
        return not source_setting(self.name, "path")

    def reading_from(self, path: Path) -> "CsvSource":
        """Return this source with a mended copy in place of its file; what it is a sample of stays what it was."""
        return replace(self, mended=path)

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path) -> Iterator[CsvReading]:
        configured = self.mended or source_setting(self.name, "path")
        path = Path(configured).expanduser() if configured else sample_file(home, self.name)
        with CsvReading.open(path, self.shape, work, self.control) as reading:
            yield reading
