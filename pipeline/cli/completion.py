"""Names for shell completion."""

from ingestion.own_sources import own_names

# Repeated here because completion can't wait until sources and engines are imported.
SOURCE_NAMES = ("northwind", "order_details", "event_log", "people", "community")
TARGET_NAMES = ("duckdb", "postgres")


def complete_source(incomplete: str) -> list[str]:
    """Return the sources that begin with this text."""
    return [name for name in (*SOURCE_NAMES, *own_names()) if name.startswith(incomplete)]


def complete_target(incomplete: str) -> list[str]:
    """Return the warehouses that begin with this text."""
    return [name for name in TARGET_NAMES if name.startswith(incomplete)]
