"""Names for shell completion."""

from ingestion.errors import BadRequest
from ingestion.source_settings import source_kinds

# Repeated here because completion can't wait until the engines are imported.
TARGET_NAMES = ("duckdb", "postgres", "spark")


def complete_source(incomplete: str) -> list[str]:
    """Return the sources that begin with this text."""
    return [name for name in _kinds() if name.startswith(incomplete)]


def a_source(kind: str) -> str:
    """Return the first source of a kind, for an example; NAME if there is none."""
    return next((name for name, its_kind in _kinds().items() if its_kind == kind), "NAME")


def complete_target(incomplete: str) -> list[str]:
    """Return the warehouses that begin with this text."""
    return [name for name in TARGET_NAMES if name.startswith(incomplete)]


def _kinds() -> dict[str, str]:
    """Return the kinds of the sources, none if the settings can't be read: the command itself says so."""
    try:
        return source_kinds()
    except BadRequest:
        return {}
