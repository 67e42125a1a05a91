"""What every engine's warehouse does beside dbt."""

from abc import abstractmethod
from contextlib import AbstractContextManager

import duckdb
import pyarrow as pa

from ingestion.sources.selection import ALL_ROWS, Selection
from ingestion.sql import name_of
from ingestion.warehouse.record import Recorded
from ingestion.warehouse.tables import NO_REJECTS, Columns, RawTable, Rejects


class Warehouse(Recorded):
    """An engine's warehouse: raw is loaded into it from landing, and it reports its state."""

    @abstractmethod
    def serving(self) -> AbstractContextManager[None]:
        """Keep the engine reachable for this process and for dbt during the block."""

    def join(self) -> None:
        """Let this process, a worker of the command in whose `serving` block it runs, use the engine."""

    @abstractmethod
    def load_day(
        self, run_date: str, sources: list[str], tables: list[RawTable], rejects: Rejects = NO_REJECTS
    ) -> None:
        """Replace the named sources' rows and rejects of a day; until all are replaced, the day isn't loaded.

        Mark the marts stale if rows that they were built from change.
        """

    @abstractmethod
    def unload_days(self, days: list[str], until: str, *, dry_run: bool = False) -> tuple[int, int]:
        """Remove loaded days from raw; return the number of stored rows before and after.

        Nothing that is built changes, and history stays, if it has the day `until`; raises Refused if it hasn't. A dry
        run removes nothing.
        """

    @abstractmethod
    def record_steps(self, steps: pa.Table) -> None:
        """Replace `raw_ops.pipeline_steps` by these rows (PIPELINE_STEPS), in a separate transaction."""

    @abstractmethod
    def record_sources(self, days: pa.Table, tables: Columns) -> None:
        """Replace `raw_ops.source_days` by these rows (SOURCE_DAYS), and create missing raw tables.

        `tables` holds the sources' columns by schema and table.
        """

    @abstractmethod
    def refresh(self, relation: str, view: str) -> None:
        """Replace the rows of a built mart by those of a view with the same columns (both `schema.table`)."""

    @abstractmethod
    def space(self) -> dict[str, int]:
        """Return the bytes of each schema's tables, and for a file under "" those that are free in it."""

    def has(self, relation: str) -> bool:
        """Return whether a mart (`schema.table`) exists; False without a warehouse."""
        with self._asking() as cursor:
            return cursor is not None and self._exists(cursor, *self.built_place(relation))

    @abstractmethod
    def reading(self, relation: str, which: Selection = ALL_ROWS) -> AbstractContextManager[pa.RecordBatchReader]:
        """Open rows of a mart (`schema.table`) as a stream of Arrow batches; raises StepFailed on an unknown column."""

    @abstractmethod
    def exporting(self, relation: str) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open a DuckDB session with the relation `mart`: a mart's rows (`schema.table`), in any order."""

    @abstractmethod
    def audit_url(self) -> str:
        """Return a SQLAlchemy URL that opens the warehouse for reading; it may hold a password, so never show it."""

    def ended(self, relation: str, day: str, until: str) -> str:
        """Return a query for a raw table's rows on a day; an engine that can leaves out those that it has `until` too.

        The days are SQL.
        """
        return f"select * from {name_of(*relation.split('.'))} where _run_date = {day}"

    @property
    @abstractmethod
    def namespace(self) -> tuple[str, str]:
        """The namespace and database of its tables, by OpenLineage's naming."""

    def built_place(self, relation: str) -> tuple[str, str]:
        """Return the schema and table in which dbt builds a mart (`schema.table`)."""
        schema, _, table = relation.partition(".")
        return schema, table

    def built_relation(self, relation: str) -> str:
        """Return the quoted SQL name of the built mart `schema.table`."""
        return name_of(*self.built_place(relation))
