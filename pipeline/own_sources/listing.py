"""List the sources: kind, place, sample or own, and last landed day."""

from collections.abc import Callable
from typing import Any

from ingestion.landing import Landing
from ingestion.redact import redact
from ingestion.settings import database_url, people_database_url
from ingestion.sources import Own, kind_of
from ingestion.sources.api.settings import configured_url
from pipeline.run.request import Request

COLUMNS = ("source", "kind", "place", "data", "last_landed")


def list_sources(request: Request) -> list[dict[str, str]]:
    """Return a row of COLUMNS for each source; a source without settings uses its sample."""
    landing, rows = Landing(request.home), []
    for source in request.sources:
        days, place = landing.days(source.name), _PLACES[kind_of(source)](source)
        rows.append(
            {
                "source": source.name,
                "kind": kind_of(source).replace("people", "postgres"),
                "place": redact(place or ""),
                "data": "own" if place or isinstance(source, Own) else "sample",
                "last_landed": days[-1] if days else "",
            }
        )
    return rows


def _without_user(url: str | None) -> str | None:
    return url and url.rpartition("@")[2].partition("?")[0]


# A source's configured place, without secrets, by its kind; None when nothing is configured.
_PLACES: dict[str, Callable[[Any], str | None]] = {
    "csv": lambda source: source.configured_path,
    "api": lambda source: configured_url(source.name),
    "dlt": lambda source: source.resource,
    "postgres": lambda source: _without_user(database_url(source.name)),
    "people": lambda source: _without_user(people_database_url()),
}
