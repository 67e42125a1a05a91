"""Where files are kept, whoever keeps them: a kind of place is one module here, chosen by its URL."""

from pathlib import Path

from ingestion.stores.apart import Apart
from ingestion.stores.base import Overtaken, Store
from ingestion.stores.disk import DiskStore

__all__ = ["Apart", "Overtaken", "Store", "open_store"]


def open_store(location: str, work: Path) -> Store:
    """Return the store at a path or an s3:// URL; what is on its way to or from a bucket is kept below `work`.

    Raises BadRequest on a URL that holds more than a place, as keys.
    """
    if location.startswith("s3://"):
        from ingestion.stores.s3 import S3Store

        return S3Store(location, work)
    return DiskStore(Path(location))
