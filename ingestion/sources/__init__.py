"""The sources by name: in settings, in manifests and behind `--source`."""

from ingestion.errors import BadRequest
from ingestion.sources.base import REJECT_SCHEMA, AnswerReading, Reading, Source
from ingestion.sources.community import Community
from ingestion.sources.event_log import EVENT_LOG
from ingestion.sources.northwind import Northwind
from ingestion.sources.order_details import ORDER_DETAILS
from ingestion.sources.people import People

_ALL: tuple[Source, ...] = (Northwind(), ORDER_DETAILS, EVENT_LOG, People(), Community())
SOURCES: dict[str, Source] = {source.name: source for source in _ALL}

__all__ = ["REJECT_SCHEMA", "SOURCES", "AnswerReading", "Community", "Reading", "Source", "sources_named"]


def sources_named(names: list[str] | None) -> list[Source]:
    """Return the named sources, all when none is named; raises BadRequest on an unknown name."""
    for name in names or []:
        if name not in SOURCES:
            raise BadRequest(f"unknown source {name!r}; the sources are {', '.join(SOURCES)}")
    return [source for source in SOURCES.values() if not names or source.name in names]
