"""Connect to Postgres by ADBC. Its dbapi module imports pandas, so it is imported only to connect."""

from typing import TYPE_CHECKING

from adbc_driver_manager import Error

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

__all__ = ["Error", "connect"]


def connect(url: str, *, autocommit: bool = False) -> "Connection":
    """Return a connection to a Postgres URL; raises Error when it can't connect."""
    from adbc_driver_postgresql import dbapi

    return dbapi.connect(url, autocommit=autocommit)
