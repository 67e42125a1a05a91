"""What publishing is on any engine: readers see one whole version, then another whole version."""

import hashlib
import json
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Version:
    """A published version: the run date its marts are of, and the hash of all their rows."""

    run_date: str
    content_hash: str

    @property
    def name(self) -> str:
        """The version's name, the same for the same rows: `<run_date>-<hash>`."""
        return f"{self.run_date}-{self.content_hash[:12]}"


def combined_hash(hashes: list[list[str]]) -> str:
    """Return one hash for the marts' own, given as [mart, hash]: the same rows have the same on every engine.

    What `ops` says of runs is left out: it differs from run to run, and the data doesn't.
    """
    kept = [[mart, hash_] for mart, hash_ in hashes if not mart.startswith("ops.")]
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()


class Publisher(Protocol):
    """An engine's way of publishing."""

    def current(self) -> Version | None:
        """Return the version readers see now, None before the first."""

    def publish(self, run_date: str, marts: list[str]) -> tuple[Version, dict[str, int]]:
        """Make these marts (`schema.table`) of the warehouse what readers see; return the version and rows by mart."""
