"""What a source is to the extract: named tables, read as Arrow, with the rows that couldn't be read set aside."""

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

# A row that could not be read: `line_number` counts a file's physical lines from 1, NULL for databases.
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


# Brings a finished file into landing: the file, the table that it belongs to, its name there.
Place = Callable[[Path, str, str], File]


class Reading(Protocol):
    """One consistent view of a source, open for the length of an extract."""

    def schemas(self) -> dict[str, pa.Schema]:
        """Return every table the source has with its Arrow schema."""

    def read(self, table: str) -> Iterator[pa.Table]:
        """Yield a table's good rows in batches of bounded size."""

    def rejects(self, table: str) -> list[dict]:
        """Return the rows `read` left out: table, file, line_number, rule, raw_text. Call after `read`."""

    def count(self, table: str) -> int:
        """Return how many rows the source itself says the table has, good or not. Call after `read`."""

    def totals(self, table: str) -> Totals:
        """Return the sums over the good rows, taken before dlt sees them. Call after `read`."""


@runtime_checkable
class AnswerReading(Reading, Protocol):
    """A reading with declared columns, whose source's own answers are kept; all of this is asked after `read`."""

    def land_answers(self, table: str, place: Place) -> list[Answer]:
        """Return the answers that a table was read from, all of them in landing; `place` brings a file there."""

    def missing_fields(self) -> list[str]:
        """Name the declared fields that no row has."""

    def undeclared_fields(self) -> dict[str, list[str]]:
        """Return by table the fields that were sent and are no columns."""


class Source(Protocol):
    """A named source: where its partitions land and which raw schema they are loaded into.

    `area` is the folder of landing: its kind and, for a source of the settings, its name, for tables of other sources
    may be called the same.
    """

    name: str
    area: str
    raw_schema: str
    # Tables whose history is kept: a key that is missing from them ends, so a sudden shrinkage is asked about.
    tables_with_history: frozenset[str]
    # What is summed of each table; one that the source has beside these is only counted.
    control_totals: dict[str, ControlTotals]

    def exists_on(self, run_date: str) -> bool:
        """Say whether the source is part of a day: one that isn't is neither needed nor missed."""

    def is_sample(self, home: Home) -> bool:
        """Say whether what `open` reads is the generated sample; call while it is open."""

    def open(self, home: Home, run_date: str, work: Path) -> AbstractContextManager[Reading]:
        """Open the source for one extract; `work` is an empty folder for what must be kept meanwhile."""


def kind_of(source: Source) -> str:
    """Return what a source is: postgres, people, csv, api or dlt."""
    return source.area.partition("/")[0]


class Described:
    """What the catalogue says of a source's tables; raises BadRequest where it can't be read. It exists on all days."""

    name: str

    def exists_on(self, run_date: str) -> bool:
        return True

    def refuse_sample(self, home: Home) -> None:
        """Raise BadRequest where nothing is configured for a source that has no sample."""
        if not self.is_sample(home):
            raise BadRequest(f"the settings don't say where {self.name} is")

    @property
    def tables_with_history(self) -> frozenset[str]:
        return catalogue.tables_with_history(self.name)

    @property
    def control_totals(self) -> dict[str, ControlTotals]:
        return catalogue.control_totals(self.name)
