"""The sources by the name that settings, manifests and `--source` use."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib import import_module

from ingestion.errors import BadRequest
from ingestion.own_sources import OwnSettings, built_in_modules, read_own_settings, settings_section
from ingestion.redact import one_line
from ingestion.settings import setting_variable, source_settings
from ingestion.sources.api_source import ApiSource
from ingestion.sources.base import (
    REJECT_SCHEMA,
    AnswerReading,
    DatabaseReading,
    Reading,
    Source,
    SummedReading,
    kind_of,
)
from ingestion.sources.own import Own
from ingestion.sources.own_api import make_own_api
from ingestion.sources.own_csv import make_own_csv
from ingestion.sources.own_dlt import make_own_dlt
from ingestion.sources.own_postgres import make_own_postgres

_MAKERS: dict[str, Callable[[OwnSettings], Own]] = {
    "csv": make_own_csv,
    "postgres": make_own_postgres,
    "dlt": make_own_dlt,
    "api": make_own_api,
}


class _Sources(Mapping[str, Source]):
    """The sources in the settings, which are read on first use."""

    @cached_property
    def _by_name(self) -> dict[str, Source]:
        found = {name: _built_in(name, module) for name, module in built_in_modules().items()}
        schemas = {source.raw_schema for source in found.values()}
        for settings in read_own_settings():
            if settings.raw_schema in schemas | {"raw_ops"}:
                raise BadRequest(f"{settings.section}: the name is taken")
            found[settings.name] = make_own(settings)
        return found

    def __getitem__(self, name: str) -> Source:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


SOURCES: Mapping[str, Source] = _Sources()

__all__ = [
    "REJECT_SCHEMA", "SOURCES", "AnswerReading", "ApiSource", "DatabaseReading", "Own", "Reading", "Source",
    "SummedReading", "kind_of", "make_own", "own_sources", "sources_named",
]  # fmt: skip


def _built_in(name: str, module: str) -> Source:
    settings = source_settings(name)
    if "since" in settings or str(settings.get("enabled", True)).lower() != "true":
        reason = f"{name} comes with the project, whose models read it; only sources that you add can be left out"
        raise BadRequest(f"{setting_variable(name, 'enabled')}, or since: {reason}")
    try:
        return import_module(module).SOURCE
    except (ImportError, AttributeError) as error:
        raise BadRequest(f"{settings_section(name)}: {module} defines no source: {one_line(error)}") from error


def make_own(settings: OwnSettings) -> Own:
    """Return the source that settings define; raises BadRequest when they can't be read."""
    return _MAKERS[settings.kind](settings)


def own_sources() -> list[Own]:
    """Return the sources defined by settings alone."""
    return [source for source in SOURCES.values() if isinstance(source, Own)]


def sources_named(names: list[str] | None) -> list[Source]:
    """Return the named sources, by default all; raises BadRequest on an unknown name."""
    for name in names or []:
        if name not in SOURCES:
            raise BadRequest(f"unknown source {name!r}; the sources are {', '.join(SOURCES)}")
    return [source for source in SOURCES.values() if not names or source.name in names]
