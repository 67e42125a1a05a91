"""Names for shell completion."""

from ingestion.known_settings import BUILT_IN_KINDS
from ingestion.own_sources import own_kinds

SOURCE_NAMES = tuple(BUILT_IN_KINDS)
# Repeated here because completion can't wait until the engines are imported.
TARGET_NAMES = ("duckdb", "postgres")


def complete_source(incomplete: str) -> list[str]:
    """Return the sources that begin with this text."""
    return [name for name in (*SOURCE_NAMES, *own_kinds()) if name.startswith(incomplete)]


def complete_target(incomplete: str) -> list[str]:
    """Return the warehouses that begin with this text."""
    return [name for name in TARGET_NAMES if name.startswith(incomplete)]
