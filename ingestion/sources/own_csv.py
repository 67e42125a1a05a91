"""A CSV source defined by settings alone: its file, its columns and its first day."""

from dataclasses import dataclass, field

from ingestion.own_sources import OwnSettings
from ingestion.settings import Home
from ingestion.sources.csv import CsvShape
from ingestion.sources.csv_source import CsvSource


@dataclass(frozen=True)
class OwnCsv(CsvSource):
    """The file at the configured path; it has no sample."""

    settings: OwnSettings = field(kw_only=True)

    def is_sample(self, home: Home) -> bool:
        return False

    def exists_on(self, run_date: str) -> bool:
        return self.settings.exists_on(run_date)

    @property
    def configured_path(self) -> str | None:
        return self.settings.path


def make_own_csv(settings: OwnSettings) -> OwnCsv:
    """Return the source for these settings."""
    shape = CsvShape(table=settings.name, delimiter=settings.delimiter, columns=settings.columns)
    return OwnCsv(name=settings.name, raw_schema=settings.raw_schema, shape=shape, settings=settings)
