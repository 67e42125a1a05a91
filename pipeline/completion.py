"""The names that a shell completes."""

from ingestion.own_sources import own_names

# For a shell's completion, which can't wait for the sources and the engines to be imported.
SOURCE_NAMES = ("northwind", "order_details", "event_log", "people", "community")
TARGET_NAMES = ("duckdb", "postgres")


def complete_source(incomplete: str) -> list[str]:
    """Return the sources that begin like this, for a shell."""
    return [name for name in (*SOURCE_NAMES, *own_names()) if name.startswith(incomplete)]


def complete_target(incomplete: str) -> list[str]:
    """Return the warehouses that begin like this, for a shell."""
    return [name for name in TARGET_NAMES if name.startswith(incomplete)]
