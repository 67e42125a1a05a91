"""The one place that knows publishing: how the built marts become what readers see, an engine a module."""

from ingestion.errors import BadRequest
from ingestion.settings import Home
from pipeline.publishing.base import Publisher, Version
from pipeline.publishing.duckdb import DuckDBPublisher
from pipeline.publishing.postgres import PostgresPublisher

_ENGINES = {"duckdb": DuckDBPublisher, "postgres": PostgresPublisher}

__all__ = ["Publisher", "Version", "open_publisher"]


def open_publisher(target: str, home: Home) -> Publisher:
    """Return what publishes a target's marts; raises BadRequest on an unknown target."""
    if target not in _ENGINES:
        raise BadRequest(f"unknown target {target!r}; the targets are {', '.join(_ENGINES)}")
    return _ENGINES[target](home)
