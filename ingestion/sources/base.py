"""The interface of a source: named tables, read as Arrow, with rejected rows kept apart."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ingestion.catalogue import tables_of
from ingestion.errors import BadRequest
from ingestion.landing import Answer, File, Manifest, Totals
from ingestion.settings import Home
from ingestion.source_settings import SourceSettings
from ingestion.sources.duckdb_types import arrow_schema
from ingestion.totals import ControlTotals

# A rejected row; `line_number` counts a file's physical lines from 1, and is NULL for databases.
REJECT_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("table", pa.string()),
        ("file", pa.string()),
        ("line_number", pa.int64()),
        ("rule", pa.string()),
        ("raw_text", pa.string()),
        ("run_date", pa.date32()),
    ]
)


# Puts a finished file into landing: the file, its table, its name there.
Place = Callable[[Path, str, str], File]
# Where the next day's read of a table begins, kept in the manifest; empty: it reads the table whole.
Bookmark = dict[str, str | int]


@dataclass(frozen=True)
class Increment:
    """What a reading has read of a table: only rows that are new or changed since the previous landed day.

    A row replaces the earlier rows with the same `key`; without a key it is appended. Its rejects are the whole
    table's; of a `file` that grew only the new ones, and the earlier ones are in this file, too, whatever its name was.
    """

    key: tuple[str, ...]
    bookmark: Bookmark
    file: str | None = None


class Reading(ABC):
    """One consistent view of a source, open during an extract; only databases and APIs have more to tell than rows."""

    # Whether the source sums its rows itself; those of others are summed as they are read.
    is_summed = False
    # Of a database, whose tables nobody declared: those that could be read as well, with their kinds.
    unread: dict[str, str] | None = None
    warnings: Sequence[str] = ()

    @abstractmethod
    def schemas(self) -> dict[str, pa.Schema]:
        """Return every table of the source with its Arrow schema."""

    @abstractmethod
    def read(self, table: str) -> Iterator[pa.Table]:
        """Yield a table's accepted rows in batches of bounded size: all of them, or those of its `increment`."""

    def read_whole(self, table: str) -> Iterator[pa.Table]:
        """Read a table again, all of it, in the same snapshot; it has no increment any more."""
        return self.read(table)

    def increment(self, table: str) -> Increment | None:
        """Return what was read of a table, None if it was read whole. Call after `read`."""
        return None

    def bookmark(self, table: str) -> Bookmark:
        """Return where the next day's read of a table may begin. Call after `read`."""
        return {}

    def rejects(self, table: str) -> list[dict]:
        """Return the rows that `read` rejected: table, file, line_number, rule, raw_text. Call after `read`."""
        return []

    @abstractmethod
    def count(self, table: str) -> int:
        """Return the whole table's row count according to the source, rejects included. Call after `read`."""

    def totals(self, table: str) -> Totals:
        """Return the source's own sums of the whole table's accepted rows. Call after `read`, if `is_summed`."""
        return Totals()

    def land_answers(self, table: str, place: Place) -> list[Answer]:
        """Return the answers of an API that a table was read from, all in landing; `place` puts a file there."""
        return []

    def missing_fields(self) -> list[str]:
        """Return the declared fields of an API that no row has. Call after `read`, as the next."""
        return []

    def undeclared_fields(self) -> dict[str, list[str]]:
        """Return the fields that an API has sent and that have no column, by table."""
        return {}


@dataclass(frozen=True)
class Source(ABC):
    """A source of the settings, whose tables the catalogue describes; each kind is a subclass.

    The properties about tables raise BadRequest when the catalogue can't be read.
    """

    settings: SourceSettings

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def kind(self) -> str:
        """Its kind: postgres, people, csv, api or dlt."""
        return self.settings.kind

    @property
    def raw_schema(self) -> str:
        return self.settings.raw_schema

    @property
    def area(self) -> str:
        """Its folder of landing: the kind and, for a source that you added, its name, as tables may share theirs."""
        return self.kind if self.settings.has_sample else f"{self.kind}/{self.name}"

    @property
    @abstractmethod
    def place(self) -> str | None:
        """The configured place, which may hold a password; None when nothing is configured."""

    def is_sample(self, home: Home) -> bool:
        """Return whether `open` reads the generated sample; call while it is open."""
        return self.settings.has_sample and self.place is None

    @abstractmethod
    def open(
        self, home: Home, run_date: str, work: Path, before: Manifest | None = None
    ) -> AbstractContextManager[Reading]:
        """Open the source for one extract; `work` is an empty folder for temporary files.

        `before` is the previous landed day, whose bookmarks tell what need not be read again.
        """

    @contextmanager
    def located(self, home: Home) -> Iterator[str]:
        """Yield the configured place or the sample's during the block; raises BadRequest when there is neither."""
        if (place := self.place) is not None:
            yield place
            return
        if not self.settings.has_sample:
            raise BadRequest(f"the settings don't say where {self.name} is")
        from ingestion.samples.defaults import sample_place

        with sample_place(home, self.name) as sample:
            yield sample

    def declared_schemas(self) -> dict[str, pa.Schema]:
        """Return the tables with the columns whose `data_type` the catalogue declares."""
        return {table.name: arrow_schema(table.name, table.types) for table in tables_of(self.name) if table.types}

    @property
    def tables_with_history(self) -> frozenset[str]:
        """The tables where a missing key ends its history, so a sudden shrinkage needs confirmation."""
        return frozenset(table.name for table in tables_of(self.name) if table.has_history)

    @property
    def control_totals(self) -> dict[str, ControlTotals]:
        """The totals of each table; other tables are only counted."""
        return {table.name: table.control_totals for table in tables_of(self.name)}
