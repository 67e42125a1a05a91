"""Names for shell completion."""

from ingestion.errors import BadRequest
from ingestion.own_sources import source_kinds

# Repeated here because completion can't wait until the engines are imported.
TARGET_NAMES = ("duckdb", "postgres")


def complete_source(incomplete: str) -> list[str]:
    """Return the sources that begin with this text, none if the settings can't be read."""
    try:
        return [name for name in source_kinds() if name.startswith(incomplete)]
    except BadRequest:
        return []


def complete_target(incomplete: str) -> list[str]:
    """Return the warehouses that begin with this text."""
    return [name for name in TARGET_NAMES if name.startswith(incomplete)]
