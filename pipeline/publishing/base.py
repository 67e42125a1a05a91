"""What publishing is on any engine: readers see one whole version, then another whole version."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ingestion.digest import ALGORITHM, Digest, is_comparable, short_hash
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
        return f"{self.run_date}-{short_hash(self.content_hash)}"


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


def version_of(
    run_date: str, built: dict[str, Digest], current: Version | None, published: Callable[[], dict[str, Digest]]
) -> Version:
    """Return the version that the built marts are of: the same rows have the same on every engine.

    A current version that another algorithm has named tells nothing by its hash: `published` digests its rows anew.
    """
    is_of_day = current is not None and current.run_date == run_date
    if is_of_day and not is_comparable(current.content_hash) and _of_business(published()) == _of_business(built):
        return current
    return Version(run_date, combined_hash(built))


def combined_hash(marts: dict[str, Digest]) -> str:
    """Return one hash for the marts' own."""
    return f"{ALGORITHM}:{hashlib.sha256(json.dumps(_of_business(marts)).encode()).hexdigest()}"


def _of_business(marts: dict[str, Digest]) -> list[list[str]]:
    """Return each mart and its hash, without `ops`: what it says of runs differs from run to run, the data doesn't."""
    return [[mart, digest.content_hash] for mart, digest in sorted(marts.items()) if not mart.startswith("ops.")]


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
