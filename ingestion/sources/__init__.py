"""The sources by the name that settings, manifests and `--source` use."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from ingestion.errors import BadRequest
from ingestion.source_settings import SourceSettings, read_source_settings, source_kinds
from ingestion.sources.api_source import ApiSource
from ingestion.sources.base import REJECT_SCHEMA, Increment, Reading, Source
from ingestion.sources.csv_source import CsvSource
from ingestion.sources.dlt_source import DltSource
from ingestion.sources.postgres_source import PostgresSource

_KINDS: dict[str, type[Source]] = {
    "csv": CsvSource, "postgres": PostgresSource, "dlt": DltSource, "api": ApiSource
}  # fmt: skip


class _Sources(Mapping[str, Source]):
    """The sources in the settings, which are read on first use."""

    @cached_property
    def _by_name(self) -> dict[str, Source]:
        found = {name: make_source(read_source_settings(name)) for name in source_kinds()}
        taken = {source.raw_schema for source in found.values() if source.settings.has_sample} | {"raw_ops"}
        for source in found.values():
            if source.raw_schema in taken and not source.settings.has_sample:
                raise BadRequest(f"{source.settings.section}: the name is taken")
        return found

    def __getitem__(self, name: str) -> Source:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


SOURCES: Mapping[str, Source] = _Sources()

__all__ = [
    "REJECT_SCHEMA",
    "SOURCES",
    "ApiSource",
    "CsvSource",
    "Increment",
    "Reading",
    "Source",
    "make_source",
    "sources_named",
]


def make_source(settings: SourceSettings) -> Source:
    """Return the source that settings define; raises BadRequest when they can't be read."""
    if settings.kind == "people":  # a project without people lacks it
        from ingestion.sources.people import People

        return People(settings)
    return _KINDS[settings.kind](settings)


def sources_named(names: list[str] | None) -> list[Source]:
    """Return the named sources, by default all; raises BadRequest on an unknown name."""
    for name in names or []:
        if name not in SOURCES:
            raise BadRequest(f"unknown source {name!r}; the sources are {', '.join(SOURCES)}")
    return [source for source in SOURCES.values() if not names or source.name in names]
