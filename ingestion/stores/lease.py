"""A lock without a kernel: a file that names its holder and is renewed while it is held.

A process takes over a lease that belongs to its own home, whose processes also hold a kernel lock that kill -9 frees,
or that hasn't been renewed for LASTS_SECONDS by the server's clock.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from ingestion.files import locked
from ingestion.stores.base import Overtaken

if TYPE_CHECKING:
    from ingestion.stores.s3 import S3Store

LASTS_SECONDS = 120
_RENEWED_PER_LEASE = 4


@contextmanager
def leased(store: "S3Store", name: str) -> Iterator[None]:
    """Hold an exclusive lock on a name; raises BlockingIOError at once when another process holds it."""
    own_lock = store.work / "locks" / hashlib.sha256(store.location(name).encode()).hexdigest()[:32]
    with locked(own_lock):
        text = json.dumps({"home": _home_id(store.work), "holder": uuid4().hex, "lasts_seconds": LASTS_SECONDS}) + "\n"
        version = _take(store, name, text)
        ended = Event()
        renewing = Thread(target=_renew, args=(store, name, text, version, ended), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            ended.set()
            renewing.join()
            with suppress(OSError):  # it expires by itself
                if store.read(name) == text:
                    store.remove(name)


def _take(store: "S3Store", name: str, text: str) -> str:
    version = store.version(name)
    if version and not _is_abandoned(store, name):
        raise BlockingIOError(f"{store.location(name)} is held by another process")
    try:
        return store.swap(name, text, version)
    except Overtaken as error:
        raise BlockingIOError(f"{store.location(name)} is held by another process") from error


def _is_abandoned(store: "S3Store", name: str) -> bool:
    age = store.age(name)
    if age is None or age > LASTS_SECONDS:
        return True
    try:
        return json.loads(store.read(name))["home"] == _home_id(store.work)
    except FileNotFoundError:
        return True
    except (ValueError, KeyError, TypeError):
        return False


def _renew(store: "S3Store", name: str, text: str, version: str, ended: Event) -> None:
    while not ended.wait(LASTS_SECONDS / _RENEWED_PER_LEASE):
        try:
            version = store.swap(name, text, version)
        except Overtaken:
            return  # the new holder's version also blocks this process's commit
        except OSError:
            continue


def _home_id(work: Path) -> str:
    """Return this home's id for other processes, generated on first use."""
    path = work / "home-id"
    if not path.exists():
        draft = path.with_name(uuid4().hex)
        draft.write_text(draft.name, encoding="utf-8")
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="utf-8")
