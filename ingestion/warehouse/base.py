"""A warehouse in one database: a day is loaded in one transaction. Engines differ in how rows get in and out."""

from abc import abstractmethod
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingestion.errors import Refused, StepFailed
from ingestion.sql import name_of, quote
from ingestion.warehouse.dlt_loads import record_load
from ingestion.warehouse.interface import Warehouse
from ingestion.warehouse.record import DAY, exists
from ingestion.warehouse.tables import (
    LANDED_TABLES,
    NO_COLUMNS,
    NO_REJECTS,
    OPS,
    OPS_TABLES,
    SOURCE_DAYS,
    Columns,
    RawTable,
    Rejects,
)
from ingestion.warehouse.versions import Versions, stored

_LANDED_COLUMNS = ", ".join(LANDED_TABLES.names)
_CONTENT_COLUMNS = LANDED_TABLES.names.index("run_id")
_TABLE, _SCHEMA, _HASH = (LANDED_TABLES.names.index(name) for name in ("table_name", "raw_schema", "content_hash"))


def are_there(cursor: Any, wanted: Columns) -> bool:
    """Return whether every wanted column is in raw, so that dlt has nothing to add."""
    cursor.execute(
        "select table_schema, table_name, column_name from information_schema.columns where table_schema like 'raw%'"
    )
    held = set(cursor.fetchall())
    return all((*place, name) in held for place, schema in wanted.items() for name in schema.names)


class _Undone(Exception):
    """Ends the transaction of a dry run."""


class SqlWarehouse(Warehouse):
    """A warehouse that is one database.

    A cursor is the engine's: it has `execute`, with parameters $1, $2 …, and `fetchall`.
    """

    # SQL that makes a build that begins now wait, so that its mark can't miss a load; None where one process writes.
    _lock: str | None = None

    @abstractmethod
    def _writing(self, ops: Columns, raw: Columns = NO_COLUMNS) -> AbstractContextManager[Any]:
        """Yield the cursor of a transaction that the block's end commits; the columns exist before it begins.

        `raw` has columns of raw tables. At the end their views are made anew where they have other columns.
        """

    @abstractmethod
    def _append(self, cursor: Any, table: str, rows: pa.Table) -> None:
        """Insert rows into a table of `raw_ops`."""

    @abstractmethod
    def _widen(self, cursor: Any, table: RawTable) -> None:
        """Widen the columns of a table's versions to hold its landed types."""

    @abstractmethod
    def _offer(self, cursor: Any, table: RawTable) -> dict[int, int]:
        """Make the temp table `gone` (file, pos) of the rows that a table lacks of its files; return their numbers."""

    @abstractmethod
    def _insert(self, cursor: Any, table: RawTable, place: int, run_date: str, until: str) -> None:
        """Insert the rows of one of a table's files, without those in `gone`, as versions of these days."""

    def _holds(self, cursor: Any, table: RawTable, run_date: str) -> bool:
        """Return whether a loaded day is known to have exactly the landed rows."""
        return False

    @abstractmethod
    def _insert_rejects(self, cursor: Any, files: list[Path]) -> int:
        """Insert files with rejects into `rejected_lines`, and return the number of rows."""

    def load_day(
        self, run_date: str, sources: list[str], tables: list[RawTable], rejects: Rejects = NO_REJECTS
    ) -> None:
        """Replace the named sources' rows and rejects of a day in one transaction.

        Mark the marts stale if rows that they were built from change.
        """
        wanted: Columns = {(table.raw_schema, table.name): table.schema for table in tables}
        with self._writing(OPS_TABLES, wanted) as cursor:
            before = _landed(cursor, run_date, sources)
            loaded = {(row[_SCHEMA], row[_TABLE]): row[_HASH] for row in before}
            for place in loaded.keys() - wanted.keys():
                Versions(cursor, *place).unload(run_date)
            for table in tables:
                self._load_table(cursor, table, run_date, loaded.get((table.raw_schema, table.name)))
            for name in ("rejected_lines", "landed_tables"):
                cursor.execute(f"delete from {name_of(OPS, name)} where {_of_day(sources)}", [run_date, *sources])
            if rejects.files:
                inserted = self._insert_rejects(cursor, rejects.files)
                if inserted != rejects.rows:
                    raise StepFailed(f"{rejects.rows} rows were rejected, but {inserted} were loaded")
            for table in tables:
                values = table.landed_row(run_date)
                marks = ", ".join([DAY, *(f"${place}" for place in range(2, len(values) + 1))])
                into = f"{name_of(OPS, 'landed_tables')} ({_LANDED_COLUMNS})"
                cursor.execute(f"insert into {into} values ({marks})", values)
            record_load(cursor, {stored(table.raw_schema, table.name)[0] for table in tables})
            if _contents(before) != _contents(_landed(cursor, run_date, sources)) and exists(cursor, OPS, "build_mark"):
                if self._lock:
                    cursor.execute(self._lock)
                mark = name_of(OPS, "build_mark")
                cursor.execute(f"update {mark} set state = 'stale' where run_date >= {DAY}", [run_date])

    def _load_table(self, cursor: Any, table: RawTable, run_date: str, loaded: str | None) -> None:
        """Give a day the rows of a table; `loaded` is the hash of those that it has."""
        is_again = loaded == table.landed.content_hash
        if is_again and self._holds(cursor, table, run_date):
            return
        versions = Versions(cursor, table.raw_schema, table.name)
        if loaded is not None:
            versions.unload(run_date)
        self._widen(cursor, table)
        gone = self._offer(cursor, table)
        # Rows that aren't those that were loaded before may have been tampered with.
        missing, until = versions.share(run_date, table, gone, anew=is_again)
        for place in missing:
            self._insert(cursor, table, place, run_date, until)
        if (inserted := versions.count(run_date)) != (rows := table.landed.rows):
            raise StepFailed(f"table {table.name}: {rows} rows have landed, but {inserted} were loaded")

    def unload_days(self, days: list[str], until: str, *, dry_run: bool = False) -> tuple[int, int]:
        """Remove loaded days from raw, in one transaction; return the number of stored rows before and after.

        Nothing that is built changes, and history stays, if it has the day `until`; raises Refused if it hasn't. A dry
        run removes nothing.
        """
        listed = ", ".join(f"${place}::text::date" for place in range(1, len(days) + 1))
        places = self._rows("landed_tables", "select distinct raw_schema, table_name from {} order by 1, 2")
        with suppress(_Undone), self._writing(OPS_TABLES, dict.fromkeys(places, pa.schema([]))) as cursor:
            cursor.execute(f"select count(*) from {name_of(OPS, 'history_days')} where run_date = {DAY}", [until])
            if not cursor.fetchall()[0][0]:
                raise Refused(f"history doesn't reach {until}, because an older day was built")
            for name in ("rejected_lines", "landed_tables"):
                cursor.execute(f"delete from {name_of(OPS, name)} where run_date in ({listed})", days)
            counts = [Versions(cursor, *place).tidy() for place in places]
            before, after = (sum(numbers) for numbers in zip(*counts, strict=True))
            if dry_run:
                raise _Undone
        return before, after

    def record_steps(self, steps: pa.Table) -> None:
        """Replace `raw_ops.pipeline_steps` by these rows (PIPELINE_STEPS), in a separate transaction."""
        self._replace("pipeline_steps", steps, OPS_TABLES)

    def record_sources(self, days: pa.Table, tables: Columns) -> None:
        """Replace `raw_ops.source_days` by these rows (SOURCE_DAYS), and create missing raw tables.

        `tables` holds the sources' columns by schema and table.
        """
        self._replace("source_days", days, {(OPS, "source_days"): SOURCE_DAYS, **OPS_TABLES}, tables)

    def _replace(self, table: str, rows: pa.Table, ops: Columns, raw: Columns = NO_COLUMNS) -> None:
        with self._writing(ops, raw) as cursor:
            cursor.execute(f"delete from {name_of(OPS, table)}")
            self._append(cursor, table, rows)

    def ended(self, relation: str, day: str, until: str) -> str:
        before, after = (f"coalesce(_valid_from <= {one} and {one} < _valid_to, false)" for one in (day, until))
        return f"select * from {name_of(*stored(*relation.split('.')))} where {before} and not {after}"

    def refresh(self, relation: str, view: str) -> None:
        """Replace the rows of a built mart by those of a view with the same columns (both `schema.table`)."""
        mart, source = self.built_relation(relation), name_of(*view.split("."))
        named = "select column_name from information_schema.columns where table_schema = $1 and table_name = $2"
        with self._writing({}) as cursor:
            cursor.execute(named, self.built_place(relation))
            columns = ", ".join(quote(name) for (name,) in cursor.fetchall())
            cursor.execute(f"delete from {mart}")
            cursor.execute(f"insert into {mart} ({columns}) select {columns} from {source}")


def _of_day(sources: list[str]) -> str:
    """Return SQL for the rows of some sources on a day, which are the parameters: the day, then the sources."""
    return f"run_date = {DAY} and source in ({', '.join(f'${place}' for place in range(2, len(sources) + 2))})"


def _landed(cursor: Any, run_date: str, sources: list[str]) -> list[tuple]:
    """Return the rows of `landed_tables` for the sources' day."""
    name, order = name_of(OPS, "landed_tables"), "order by source, table_name"
    cursor.execute(f"select {_LANDED_COLUMNS} from {name} where {_of_day(sources)} {order}", [run_date, *sources])
    return cursor.fetchall()


def _contents(landed: list[tuple]) -> list[tuple]:
    """Return the data's description in `landed_tables` rows, without the run id and the counts of reading."""
    return [row[:_CONTENT_COLUMNS] for row in landed]
