"""Connect to Postgres by ADBC. Its dbapi module imports pandas, so it is imported only to connect."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow as pa
from adbc_driver_manager import Error

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

__all__ = ["Error", "connect", "one_ahead"]


def connect(url: str, *, autocommit: bool = False) -> "Connection":
    """Return a connection to a Postgres URL; raises Error when it can't connect."""
    from adbc_driver_postgresql import dbapi

    return dbapi.connect(url, autocommit=autocommit)


def one_ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches, and make the next one in a thread while the caller uses a batch."""
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = ahead.submit(next, batches, None)
            yield batch
