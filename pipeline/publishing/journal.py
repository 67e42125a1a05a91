"""The order in which versions were published: what `rollback` goes back along, and what `latest.json` says."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from ingestion.errors import Refused
from ingestion.stores import Store
from pipeline.publishing.base import Version


@dataclass(frozen=True)
class Published:
    """A version that readers have seen: when it was put before them last, and the SHA-256 of its file, if it is one."""

    run_date: str
    version: str
    content_hash: str
    sha256: str | None
    published_at: str

    @classmethod
    def now(cls, version: Version, sha256: str | None = None) -> "Published":
        """Return the entry of a version that is published at this moment."""
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(version.run_date, version.name, version.content_hash, sha256, moment)


class Journal:
    """The published versions in their order, the newest last, as JSON; written *before* readers see the newest.

    So a kill in between leaves an entry too many or too few at the end, which `entries` tells by the current version.
    """

    def __init__(self, store: Store, name: str):
        self._store, self._name = store, name

    def entries(self, current: Version | None, describe: Callable[[], Published]) -> list[Published]:
        """Return the versions up to the one that readers see now, which is described where the journal lacks it."""
        try:
            kept = [Published(**entry) for entry in json.loads(self._store.read(self._name))]
        except FileNotFoundError:
            kept = []
        names = [entry.version for entry in kept]
        if current is None:
            return []
        if current.name in names:
            return kept[: names.index(current.name) + 1]
        return [*kept, describe()]

    def write(self, entries: list[Published]) -> None:
        """Replace the journal."""
        self._store.write(self._name, json.dumps([asdict(entry) for entry in entries], indent=1) + "\n")


def appended(entries: list[Published], newest: Published) -> list[Published]:
    """Return the entries with a version at the end, and there alone: going back to it is going back to now."""
    return [*(entry for entry in entries if entry.version != newest.version), newest]


def taken_back(entries: list[Published], to: str | None) -> list[Published]:
    """Return the entries up to the one before the newest, or to the one named; raises Refused when there is none."""
    names = [entry.version for entry in entries[:-1]]
    if not names or (to and to not in names):
        there = f"the versions before the published one: {', '.join(names)}" if names else "none is kept"
        raise Refused(f"there is no {to or 'earlier version'} to roll back to; {there}")
    return entries[: names.index(to) + 1 if to else -1]


def write_latest(store: Store, target: str, newest: Published) -> None:
    """Say in `latest.json` what readers see now, on which target, and since when."""
    latest = {"target": target} | asdict(newest)
    store.write("latest.json", json.dumps(latest, indent=1) + "\n")
