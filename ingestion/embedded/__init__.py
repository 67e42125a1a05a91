"""The private Postgres that stands in for every database source nobody has configured."""

from ingestion.embedded.postgres import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
