"""The schema of the people database, and the way to it."""

from people_api.database.connect import migrate, open_engine, people_database

__all__ = ["migrate", "open_engine", "people_database"]
