"""The journal of published versions, for `rollback` and `latest.json`."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from ingestion.errors import Refused
from ingestion.stores import Store
from pipeline.publishing.base import Version


@dataclass(frozen=True)
class Published:
    """A published version: when it was last published, and its file's SHA-256 if it is a file."""

    run_date: str
    version: str
    content_hash: str
    sha256: str | None
    published_at: str

    @classmethod
    def now(cls, version: Version, sha256: str | None = None) -> "Published":
        """Return the entry of a version published now."""
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(version.run_date, version.name, version.content_hash, sha256, moment)


class Journal:
    """The published versions in order, newest last, as JSON; written *before* readers see the newest.

    A kill in between leaves one entry too many or too few, which `entries` detects by the current version.
    """

    def __init__(self, store: Store, name: str):
        self._store, self._name = store, name

    def entries(self, current: Version, describe: Callable[[], Published]) -> list[Published]:
        """Return the versions up to the published one, which `describe` supplies if the journal lacks it."""
        try:
            kept = [Published(**entry) for entry in json.loads(self._store.read(self._name))]
        except FileNotFoundError:
            kept = []
        names = [entry.version for entry in kept]
        if current.name in names:
            return kept[: names.index(current.name) + 1]
        return [*kept, describe()]

    def write(self, entries: list[Published]) -> None:
        """Replace the journal."""
        self._store.write(self._name, json.dumps([asdict(entry) for entry in entries], indent=1) + "\n")


def appended(entries: list[Published], newest: Published) -> list[Published]:
    """Return the entries with a version at the end and nowhere else."""
    return [*(entry for entry in entries if entry.version != newest.version), newest]


def taken_back(entries: list[Published], to: str | None) -> list[Published]:
    """Return the entries up to the one before the newest, or to the named one; raises Refused when there is none."""
    names = [entry.version for entry in entries[:-1]]
    if not names or (to and to not in names):
        there = f"the versions before the published one: {', '.join(names)}" if names else "none is kept"
        raise Refused(f"there is no {to or 'earlier version'} to roll back to; {there}")
    return entries[: names.index(to) + 1 if to else -1]


def write_latest(store: Store, target: str, newest: Published) -> None:
    """Write `latest.json`: the published version, its target and its time."""
    latest = {"target": target} | asdict(newest)
    store.write("latest.json", json.dumps(latest, indent=1) + "\n")
