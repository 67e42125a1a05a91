"""Local copies of remote files."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from ingestion.stores.scratch import scratch_folder

_KEPT = 2


def keep_copy(work: Path, location: str, version: str, fetch: Callable[[Path], None]) -> Path:
    """Return the copy of a file's version below `work`, fetched if it is missing; the copy before it stays too.

    Readers that have opened an older copy can go on reading it.
    """
    folder = work / "copies" / _named(location)
    copy = folder / f"{_named(version)}-{location.rpartition('/')[2]}"
    if not copy.exists():
        with scratch_folder(work) as own:
            fetch(own / copy.name)
            folder.mkdir(parents=True, exist_ok=True)
            (own / copy.name).replace(copy)
        newest_first = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for older in newest_first[_KEPT:]:
            older.unlink(missing_ok=True)
    return copy


def _named(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
