"""Hold every landed file against the SHA-256 its manifest gives."""

from ingestion.landing import Landing
from ingestion.settings import Home
from ingestion.sources import Source


def verify_landing(home: Home, sources: list[Source]) -> tuple[int, dict[str, list[str]]]:
    """Return how many landed days were read, and the faults of those that aren't whole, by `<source> <run_date>`."""
    landing = Landing(home.landing)
    faults = {}
    days = [(source.name, day) for source in sources for day in landing.days(source.name)]
    for source, day in days:
        if found := landing.faults(source, day, read_files=True):
            faults[f"{source} {day}"] = found
    return len(days), faults
