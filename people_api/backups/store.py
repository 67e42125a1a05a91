"""Where backups are kept: one folder a table, on disk or in a bucket."""

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
    """Return the store that `TRADEWINDS_BACKUPS_URL` names; raises BadRequest when it is no place for one."""
    return Store(home.backups)


def open_folder(location: str) -> stores.Store:
    """Return the folder at a path or an s3:// URL; raises BadRequest when that is no URL of a place."""
    return stores.open_store(location, Home.from_environment().work)
