"""List the sources: kind, place, sample or own, and last landed day."""

from ingestion.landing import Landing
from ingestion.redact import redact
from ingestion.settings import database_url, people_database_url
from ingestion.sources import OwnCsv, Source
from ingestion.sources.api.settings import configured_url
from ingestion.sources.csv_source import CsvSource
from pipeline.run.request import Request

COLUMNS = ("source", "kind", "place", "data", "last_landed")
_KINDS = {"postgres": "postgres", "people": "postgres", "csv": "csv", "api": "api"}


def list_sources(request: Request) -> list[dict[str, str]]:
    """Return a row of COLUMNS for each source; a source without settings uses its sample."""
    landing, rows = Landing(request.home), []
    for source in request.sources:
        days, place = landing.days(source.name), configured_place(source)
        rows.append(
            {
                "source": source.name,
                "kind": _KINDS[source.area],
                "place": redact(place or ""),
                "data": "own" if place or isinstance(source, OwnCsv) else "sample",
                "last_landed": days[-1] if days else "",
            }
        )
    return rows


def configured_place(source: Source) -> str | None:
    """Return a source's configured place, without secrets; None when nothing is configured."""
    if isinstance(source, CsvSource):
        return source.configured_path
    if source.area == "api":
        return configured_url(source.name)
    url = people_database_url() if source.area == "people" else database_url(source.name)
    return url and url.rpartition("@")[2].partition("?")[0]
