"""The private Postgres that replaces database sources without settings."""

from ingestion.embedded.postgres import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
