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

    @property
    def of(self) -> Version:
        """The version itself."""
        return Version(self.run_date, self.content_hash)

    @classmethod
    def now(cls, version: Version, sha256: str | None = None) -> "Published":
        """Return the entry of a version published now."""
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(version.run_date, version.name, version.content_hash, sha256, moment)


def read_journal(
    store: Store, name: str, current: Version | None, describe: Callable[[], Published]
) -> list[Published]:
    """Return the versions up to the published one, newest last; `describe` supplies that if the journal lacks it.

    The journal is written *before* readers see the newest. A kill in between leaves one entry too many or too few,
    which the current version tells.
    """
    if current is None:
        return []
    try:
        kept = [Published(**entry) for entry in json.loads(store.read(name))]
    except FileNotFoundError:
        kept = []
    names = [entry.version for entry in kept]
    return kept[: names.index(current.name) + 1] if current.name in names else [*kept, describe()]


def write_journal(store: Store, name: str, entries: list[Published]) -> None:
    """Replace the journal, a JSON file."""
    store.write(name, json.dumps([asdict(entry) for entry in entries], indent=1) + "\n")


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
