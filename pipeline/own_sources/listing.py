"""List the sources: kind, place, sample or own, and last landed day."""

from ingestion.landing import Landing
from ingestion.redact import redact
from ingestion.sources import Source
from pipeline.run.request import Request

COLUMNS = ("source", "kind", "place", "data", "last_landed")


def list_sources(request: Request) -> list[dict[str, str]]:
    """Return a row of COLUMNS for each source; a source without settings uses its sample."""
    landing, rows = Landing(request.home), []
    for source in request.sources:
        days, place = landing.days(source.name), _shown_place(source)
        rows.append(
            {
                "source": source.name,
                "kind": source.kind.replace("people", "postgres"),
                "place": place,
                "data": "own" if place or not source.settings.has_sample else "sample",
                "last_landed": days[-1] if days else "",
            }
        )
    return rows


def _shown_place(source: Source) -> str:
    """Return a source's configured place without secrets, an empty string when nothing is configured."""
    place = source.place or ""
    if source.kind in ("postgres", "people"):
        place = place.rpartition("@")[2].partition("?")[0]
    return redact(place)
