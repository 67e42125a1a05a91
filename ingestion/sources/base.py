"""The interface of a source: named tables, read as Arrow, with rejected rows kept apart."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, runtime_checkable

import pyarrow as pa

from ingestion import catalogue
from ingestion.errors import BadRequest
from ingestion.landing import Answer, File, Totals
from ingestion.settings import Home
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


class Reading(Protocol):
    """One consistent view of a source, open during an extract."""

    def schemas(self) -> dict[str, pa.Schema]:
        """Return every table of the source with its Arrow schema."""

    def read(self, table: str) -> Iterator[pa.Table]:
        """Yield a table's accepted rows in batches of bounded size."""

    def rejects(self, table: str) -> list[dict]:
        """Return the rows that `read` rejected: table, file, line_number, rule, raw_text. Call after `read`."""

    def count(self, table: str) -> int:
        """Return the table's row count according to the source, rejects included. Call after `read`."""


@runtime_checkable
class AnswerReading(Reading, Protocol):
    """A reading with declared columns that keeps the source's answers. Call these methods after `read`."""

    def land_answers(self, table: str, place: Place) -> list[Answer]:
        """Return the answers that a table was read from, all in landing; `place` puts a file there."""

    def missing_fields(self) -> list[str]:
        """Return the declared fields that no row has."""

    def undeclared_fields(self) -> dict[str, list[str]]:
        """Return the sent fields without a column, by table."""


@runtime_checkable
class SummedReading(Reading, Protocol):
    """A reading whose source sums its rows itself; those of others are summed as they are read."""

    def totals(self, table: str) -> Totals:
        """Return the totals of the accepted rows. Call after `read`."""


@runtime_checkable
class DatabaseReading(SummedReading, Protocol):
    """A reading of tables that nobody declared: `unread` has what could be read like one, with its kind."""

    unread: dict[str, str]
    warnings: list[str]


class Source(ABC):
    """A named source, with its landing area and raw schema, whose tables the catalogue describes.

    `area` is a folder of landing: the kind and, for a source defined by settings, its name, because another source may
    have a table with the same name. The properties raise BadRequest when the catalogue can't be read.
    """

    name: str
    area: str
    raw_schema: str

    @abstractmethod
    def is_sample(self, home: Home) -> bool:
        """Return whether `open` reads the generated sample; call while it is open."""

    @abstractmethod
    def open(self, home: Home, run_date: str, work: Path) -> AbstractContextManager[Reading]:
        """Open the source for one extract; `work` is an empty folder for temporary files."""

    def exists_on(self, run_date: str) -> bool:
        """Return whether the source is part of a day; other days neither need nor miss it."""
        return True

    def refuse_sample(self, home: Home) -> None:
        """Raise BadRequest for a source that has no sample; call when its place isn't configured."""
        if not self.is_sample(home):
            raise BadRequest(f"the settings don't say where {self.name} is")

    @property
    def tables_with_history(self) -> frozenset[str]:
        """The tables where a missing key ends its history, so a sudden shrinkage needs confirmation."""
        return catalogue.tables_with_history(self.name)

    @property
    def control_totals(self) -> dict[str, ControlTotals]:
        """The totals of each table; other tables are only counted."""
        return catalogue.control_totals(self.name)


def kind_of(source: Source) -> str:
    """Return a source's kind: postgres, people, csv, api or dlt."""
    return source.area.partition("/")[0]
