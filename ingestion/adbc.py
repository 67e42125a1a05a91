"""Postgres by ADBC; its own dbapi module brings pandas along, so it is imported by whoever really connects."""

from typing import TYPE_CHECKING

from adbc_driver_manager import Error

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

__all__ = ["Error", "connect"]


def connect(url: str, *, autocommit: bool = False) -> "Connection":
    """Return a connection to a Postgres URL; raises Error when there is none to be had."""
    from adbc_driver_postgresql import dbapi

    return dbapi.connect(url, autocommit=autocommit)
