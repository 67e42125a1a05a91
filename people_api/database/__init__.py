"""The schema of the people database, and its connections."""

from ingestion.sources.people import people_database
from people_api.database.connect import migrate, open_engine

__all__ = ["migrate", "open_engine", "people_database"]
