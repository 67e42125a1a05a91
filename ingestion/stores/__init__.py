"""Stores for files: each kind is one module here, chosen by URL."""

from pathlib import Path

from ingestion.stores.base import Overtaken, Store
from ingestion.stores.disk import DiskStore

__all__ = ["Overtaken", "Store", "open_store"]


def open_store(location: str, work: Path, *, is_shared: bool = False) -> Store:
    """Return the store at a path or an s3:// URL; `work` holds files on the way to or from a bucket.

    A shared folder is for other users, too, as far as the umask lets them. Raises BadRequest on a URL with more than a
    bucket and prefix, such as keys.
    """
    if location.startswith("s3://"):
        from ingestion.stores.s3 import S3Store

        return S3Store(location, work)
    return DiskStore(Path(location), is_shared)
