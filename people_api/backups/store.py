"""The store of backups: one folder per table, on disk or in a bucket."""

from dataclasses import dataclass

from ingestion import stores
from ingestion.settings import Home


@dataclass(frozen=True)
class Store:
    """All backups: a path, or an s3:// URL."""

    root: str

    def folder(self, table: str) -> stores.Store:
        return open_folder(f"{self.root.rstrip('/')}/{table}")


def open_store(home: Home) -> Store:
    """Return the store at `TRADEWINDS_BACKUPS_URL`; raises BadRequest when that isn't a usable location."""
    return Store(home.backups)


def open_folder(location: str) -> stores.Store:
    """Return the folder at a path or an s3:// URL; raises BadRequest on an invalid URL."""
    return stores.open_store(location, Home.from_environment().work)
