"""The marketplace's event log: a semicolon-separated file, one line an event, not in time order."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.samples.defaults import sample_event_log
from ingestion.settings import Home, source_setting
from ingestion.sources.csv import CsvReading, CsvShape

SHAPE = CsvShape(
    table="event_log",
    delimiter=";",
    columns={
        "event_id": "BIGINT",
        "event_type": "VARCHAR",
        "professional_id_anonymized": "BIGINT",
        "created_at": "TIMESTAMP",
        "meta_data": "VARCHAR",
    },
)


class EventLog:
    """One CSV file (`sources.event_log.path`): the whole log as it stands on the run date."""

    name = "event_log"
    area = "csv"
    raw_schema = "raw_marketplace"

    def is_configured(self) -> bool:
        return bool(source_setting(self.name, "path"))

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path) -> Iterator[CsvReading]:
        configured = source_setting(self.name, "path")
        path = Path(configured).expanduser() if configured else sample_event_log(home)
        with CsvReading.open(path, SHAPE, work) as reading:
            yield reading
