"""Where backups are kept: one folder a table, on disk or in a bucket."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ingestion.settings import Home


class Folder(Protocol):
    """A folder of backups; whatever goes wrong with it is an OSError."""

    def names(self) -> list[str]:
        """Return the names of the files in it, none when there is no folder."""

    def draft(self) -> AbstractContextManager[Path]:
        """Make a file to write into, which is gone afterwards unless it was put in place."""

    def put(self, draft: Path, name: str) -> None:
        """Put a finished draft in place, whole and durable; raises FileExistsError instead of overwriting."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file to read; raises FileNotFoundError when there is none."""

    def location(self, name: str) -> str:
        """Return the whole path or URL of a file."""


@dataclass(frozen=True)
class Store:
    """All backups: a path, or an s3:// URL."""

    root: str

    def folder(self, table: str) -> Folder:
        return open_folder(f"{self.root.rstrip('/')}/{table}")


def open_store(home: Home) -> Store:
    """Return the store that `TRADEWINDS_BACKUPS_URL` names; raises BadRequest when it is no place for one."""
    open_folder(home.backups)
    return Store(home.backups)


def open_folder(location: str) -> Folder:
    """Return the folder at a path or an s3:// URL."""
    if location.startswith("s3://"):
        from people_api.backups.s3 import S3Folder

        return S3Folder(location)
    from people_api.backups.disk import DiskFolder

    return DiskFolder(Path(location))
