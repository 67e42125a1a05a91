"""The interface of publishing: readers see one complete version, then another."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from ingestion.digest import ALGORITHM, Digest, is_comparable, short_hash
from ingestion.errors import StepFailed
from ingestion.settings import whole_number
from ingestion.stores import Store
from pipeline.dbt.project import Mart
from pipeline.publishing.changes import Change
from pipeline.publishing.limits import Limits

ONE_QUERY = "one query is answered at a time, and nothing else: select …"
_KEPT_VERSIONS = "TRADEWINDS_KEPT_VERSIONS"


@dataclass(frozen=True)
class Version:
    """A published version: the run date of its marts, and the hash of their rows except `ops`."""

    run_date: str
    content_hash: str

    @property
    def name(self) -> str:
        """The version's name, equal for equal rows: `<run_date>-<hash>`."""
        return f"{self.run_date}-{short_hash(self.content_hash)}"


@dataclass(frozen=True)
class Rows:
    """Rows of a published mart, and their version."""

    version: Version
    columns: list[str]
    values: list[tuple]


@dataclass(frozen=True)
class Answer:
    """A query's result: the column names, and the rows as they are fetched."""

    columns: list[str]
    rows: Iterator[tuple]


def version_of(
    run_date: str, built: dict[str, Digest], current: Version | None, published: Callable[[], dict[str, Digest]]
) -> Version:
    """Return the version of the built marts, which is equal for equal rows on every engine.

    If another algorithm made the current version's hash, `published` digests its rows again.
    """
    if (
        current is not None
        and current.run_date == run_date
        and not is_comparable(current.content_hash)
        and _of_business(published()) == _of_business(built)
    ):
        return current
    return Version(run_date, combined_hash(built))


def combined_hash(marts: dict[str, Digest]) -> str:
    """Return one hash of the marts' hashes."""
    return f"{ALGORITHM}:{hashlib.sha256(json.dumps(_of_business(marts)).encode()).hexdigest()}"


def _of_business(marts: dict[str, Digest]) -> list[list[str]]:
    """Return each mart and its hash, without `ops`, which differs between runs on the same data."""
    return [[mart, digest.content_hash] for mart, digest in sorted(marts.items()) if not mart.startswith("ops.")]


@contextmanager
def held_alone(store: Store) -> Iterator[None]:
    """Lock out other publishers to this store; raises StepFailed when one is running."""
    with ExitStack() as held:
        try:
            held.enter_context(store.lock("versions/.lock"))
        except BlockingIOError as error:
            raise StepFailed("another process is publishing; wait for it to end") from error
        yield


def kept_versions() -> int:
    """Return how many versions to keep for rollback; raises BadRequest when the setting isn't a number from 1."""
    return whole_number(_KEPT_VERSIONS, 10)


class Publisher(Protocol):
    """The publisher of an engine."""

    @property
    def place(self) -> str:
        """The published marts' place for messages: a file, or a database and its schemas. It holds no secret."""

    @property
    def namespace(self) -> tuple[str, str]:
        """The namespace and database of the published marts, by OpenLineage's naming."""

    def reader_connection(self) -> dict[str, str | int]:
        """Return the fields of a dbt output that connects to the published marts, without secrets."""

    def relations(self) -> list[str]:
        """Return the published relations as `schema.table`, none before the first publish."""

    def current(self) -> Version | None:
        """Return the published version, None before the first."""

    def read(self, mart: Mart, column: str, value: int) -> Rows | None:
        """Return the published rows with this value in a column, unordered; None if the mart isn't published."""

    def answering(self, statement: str, limits: Limits | None = None) -> AbstractContextManager[Answer | None]:
        """Open the rows of one query on the published marts, with a reader's rights; None before the first publish.

        Raises BadRequest when it isn't a query or exceeds a reader's rights, StepFailed when it fails on the data or
        exceeds its limits.
        """

    def reading(self) -> AbstractContextManager[tuple[Version, Callable[[Mart], pa.RecordBatchReader]]]:
        """Open the published version, and a function that opens a mart's rows in it: read one before the next."""

    def held_alone(self) -> AbstractContextManager[None]:
        """Lock out other publishers; raises StepFailed when one is running."""

    def changes(self, marts: list[Mart]) -> list[Change]:
        """Compare the built marts with the published ones."""

    def publish(self, run_date: str, marts: list[Mart]) -> tuple[Version, dict[str, int]]:
        """Publish these marts of the warehouse; return the version and the number of rows by mart."""

    def rollback(self, to: str | None = None) -> Version:
        """Publish the previous version, or the named one, again.

        Raises Refused when there is none, StepFailed when it is no longer complete.
        """

    def tidy(self, *, dry_run: bool = False) -> int:
        """Remove the versions that rollback needn't keep; return their bytes. A dry run removes nothing."""
