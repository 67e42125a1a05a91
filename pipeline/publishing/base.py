"""What publishing is on any engine: readers see one whole version, then another whole version."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ingestion.errors import BadRequest
from pipeline.project import Mart
from pipeline.publishing.changes import Change

ONE_QUERY = "one query is answered at a time, and nothing else: select …"
_KEPT_VERSIONS = "TRADEWINDS_KEPT_VERSIONS"


@dataclass(frozen=True)
class Version:
    """A published version: the run date its marts are of, and the hash of all their rows, operations aside."""

    run_date: str
    content_hash: str

    @property
    def name(self) -> str:
        """The version's name, the same for the same rows: `<run_date>-<hash>`."""
        return f"{self.run_date}-{self.content_hash[:12]}"


@dataclass(frozen=True)
class Rows:
    """Rows of a published mart, and the version that all of them are of."""

    version: Version
    columns: list[str]
    values: list[tuple]


@dataclass(frozen=True)
class Answer:
    """What a reader's query found: the columns' names, and the rows as they are fetched."""

    columns: list[str]
    rows: Iterator[tuple]


def combined_hash(hashes: list[list[str]]) -> str:
    """Return one hash for the marts' own, given as [mart, hash]: the same rows have the same on every engine.

    What `ops` says of runs is left out: it differs from run to run, and the data doesn't.
    """
    kept = [[mart, hash_] for mart, hash_ in hashes if not mart.startswith("ops.")]
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()


def kept_versions() -> int:
    """Return how many versions stay to roll back to; raises BadRequest when the setting is no number from 1."""
    text = os.environ.get(_KEPT_VERSIONS, "10")
    if not text.isdecimal() or int(text) < 1:
        raise BadRequest(f"{_KEPT_VERSIONS} must be a number from 1, not {text!r}")
    return int(text)


class Publisher(Protocol):
    """An engine's way of publishing."""

    @property
    def place(self) -> str:
        """Where readers look, for a person: a file, or a database and its schemas. Holds no secret."""

    def reader_connection(self) -> dict[str, str | int]:
        """Return how dbt's tools connect to what readers see: a dbt output's fields. Holds no secret."""

    def relations(self) -> list[str]:
        """Return what readers see now, each `schema.table`; none before the first publish."""

    def current(self) -> Version | None:
        """Return the version readers see now, None before the first."""

    def read(self, mart: Mart, column: str, value: int) -> Rows | None:
        """Return the published rows in which a column has this value, in no order; None where no version has it yet."""

    def answering(self, statement: str) -> AbstractContextManager[Answer | None]:
        """Open the rows of any one query on what readers see, with a reader's rights; None before the first publish.

        Raises BadRequest when it is no query or reads what readers may not, StepFailed when it fails on the data.
        """

    def changes(self, marts: list[Mart]) -> list[Change]:
        """Compare the built marts with what readers see now."""

    def publish(self, run_date: str, marts: list[Mart]) -> tuple[Version, dict[str, int]]:
        """Make these marts of the warehouse what readers see; return the version and rows by mart."""

    def rollback(self, to: str | None = None) -> Version:
        """Make the version before the current one, or the named one, what readers see again.

        Raises Refused when there is none, StepFailed when it isn't whole any more.
        """
