"""Publishing: make the built marts visible to readers. Each engine is one module."""

from collections.abc import Callable

from ingestion.errors import BadRequest
from ingestion.settings import Home
from pipeline.publishing.base import Publisher, Version
from pipeline.publishing.duckdb import DuckDBPublisher
from pipeline.publishing.postgres import PostgresPublisher
from pipeline.publishing.spark import SparkPublisher

_ENGINES: dict[str, Callable[[Home], Publisher]] = {
    "duckdb": DuckDBPublisher,
    "postgres": PostgresPublisher,
    "spark": SparkPublisher,
}

__all__ = ["Publisher", "Version", "open_publisher"]


def open_publisher(target: str, home: Home) -> Publisher:
    """Return the publisher of a target; raises BadRequest on an unknown target."""
    if target not in _ENGINES:
        raise BadRequest(f"unknown target {target!r}; the targets are {', '.join(_ENGINES)}")
    return _ENGINES[target](home)
