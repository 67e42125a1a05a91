"""Read any Postgres schema as Arrow: all tables found by reflection, in one snapshot."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from ingestion import adbc
from ingestion.errors import StepFailed
from ingestion.landing import Totals
from ingestion.redact import one_line
from ingestion.sources.base import Bookmark, Increment, Reading
from ingestion.sources.cursors import Cursors
from ingestion.sources.postgres_types import REFLECT, PostgresColumn, broken_rules
from ingestion.sources.selection import ALL_ROWS, Selection
from ingestion.sql import quote
from ingestion.totals import ControlTotals, PostgresSql

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

# What decides how values become text, whatever the database, the role or the URL say: control totals need every digit
# of a float. Without row security Postgres refuses to read a table whose rows a policy may hide.
_SESSION = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO",
    "TimeZone": "UTC",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    "row_security": "off",
}

# A batch is held while the next is read: small ones keep the memory of an extract low.
_BATCH_BYTES = "adbc.postgresql.batch_size_hint_bytes"


@dataclass(frozen=True)
class _Figures:
    """A table's row count, how many rows have values that Parquet readers disagree on, and the others' totals.

    Of a table with a cursor also the others' last value, and how many rows have none.
    """

    rows: int
    rejected: int
    totals: Totals
    last_value: str | None
    without_value: int | None


class PostgresReading(Reading):
    """The tables of one schema within one read-only REPEATABLE READ transaction.

    Of a table with a cursor and a bookmark, `read` yields the rows since then; counts and totals are the whole table's.
    """

    is_summed = True

    def __init__(
        self,
        connection: "Connection",
        schema: str,
        exclude: Collection[str] = (),
        control_totals: dict[str, ControlTotals] | None = None,
        only: Collection[str] | None = None,
        views: Collection[str] = (),
        cursors: Cursors | None = None,
    ):
        """With `only`, other tables are ignored, and the named ones may all be missing.

        Views and foreign tables are read if `only` or `views` names them; `unread` has the others, with their kinds.
        """
        self._connection = connection
        self._schema = schema
        self._control_totals = control_totals or {}
        self._columns: dict[str, list[PostgresColumn]] = {}
        self._asked: dict[str, _Figures] = {}
        self._cursors = cursors or Cursors()
        self._versions: dict[str, str] = {}
        self._whole: set[str] = set()
        unread: dict[str, str] = {}
        found = set()
        for table, *column, version, other_kind in self.fetch(REFLECT, [schema]):
            found.add(table)
            self._versions[table] = version
            if other_kind and table not in views and table not in (only or ()):
                unread[table] = other_kind
            elif table not in exclude and (only is None or table in only):
                self._columns.setdefault(table, []).append(PostgresColumn(*column))
        self.unread = unread
        self.unknown = [name for name in (*exclude, *views) if name not in found]
        if not self._columns and only is None:
            raise StepFailed(f"schema {schema} of the database has no tables that can be read")
        self._cursors.check(self._columns)

    def schemas(self) -> dict[str, pa.Schema]:
        return {
            table: pa.schema([(column.name, column.arrow_type) for column in columns])
            for table, columns in self._columns.items()
        }

    def read(self, table: str, which: Selection = ALL_ROWS) -> Iterator[pa.Table]:
        columns = self._columns[table]
        schema = self.schemas()[table]
        selected = ", ".join(column.select for column in columns)
        # By bytes, as DuckDB sorts text, whatever the database's collation.
        order = which.ordered(schema, text='{} collate "C"')
        where = f"{self._since(table) or 'true'} and {self._accepted(table)} and {which.condition}"
        try:
            with self._connection.cursor() as cursor:
                cursor.adbc_statement.set_options(**{_BATCH_BYTES: str(4 * 2**20)})
                cursor.execute(f"select {selected} from {self._from(table)} where {where}{order}")
                for batch in adbc.one_ahead(cursor.fetch_record_batch()):
                    arrays = [array.cast(field.type) for array, field in zip(batch.columns, schema, strict=True)]
                    yield pa.Table.from_arrays(arrays, schema=schema)
        except (adbc.Error, pa.ArrowException) as error:
            raise StepFailed(f"table {table}: {_reason(error)}") from error

    def read_whole(self, table: str) -> Iterator[pa.Table]:
        self._whole.add(table)
        return self.read(table)

    def increment(self, table: str) -> Increment | None:
        if not self._since(table):
            return None
        return Increment(self._cursors.key(table), self.bookmark(table))

    def bookmark(self, table: str) -> Bookmark:
        last = self._figures(table).last_value
        return self._cursors.bookmark(table, self._columns[table], self._versions[table], last)

    def rejects(self, table: str) -> list[dict]:
        """Return rows with a value that Parquet readers disagree on (see postgres_types), as Postgres' JSON."""
        if not self._figures(table).rejected:
            return []
        columns = self._columns[table]
        raw = "row_to_json(whole_row.*)::text"
        if any(column.is_unencoded for column in columns):
            raw = f"convert_to({raw}, 'SQL_ASCII')"  # as text, the server would refuse to send it
        rows = self.fetch(
            f"select {broken_rules(columns)}, {raw} from {self._from(table, 'whole_row')} "
            f"where not ({self._accepted(table)})"
        )
        return [
            {
                "table": table,
                "file": None,
                "line_number": None,
                "rule": rule,
                "raw_text": raw if isinstance(raw, str) else raw.decode(errors="backslashreplace"),
            }
            for rule, raw in rows
        ]

    def count(self, table: str) -> int:
        return self._figures(table).rows

    def totals(self, table: str) -> Totals:
        return self._figures(table).totals

    def _figures(self, table: str) -> _Figures:
        """Return the counts and totals of a table in the snapshot, queried once."""
        if table not in self._asked:
            accepted = self._accepted(table)
            control = self._control_totals.get(table)
            sums = control.select(self.schemas()[table], PostgresSql, accepted) if control else "null, null"
            last = self._cursors.select_last(table, accepted)
            query = f"select count(*), count(*) filter (where not ({accepted})), {last}, {sums}"
            rows, rejected, last_value, without_value, *totals = self.fetch(f"{query} from {self._from(table)}")[0]
            self._asked[table] = _Figures(rows, rejected, Totals(*totals), last_value, without_value)
        return self._asked[table]

    def _since(self, table: str) -> str | None:
        """Return SQL that is true for the rows since the bookmark, None if the table is read whole."""
        since = self._cursors.since(table, self._columns[table], self._versions[table])
        # Appended once more, rows without a value would be there twice.
        is_whole = table in self._whole or (
            since and not self._cursors.key(table) and self._figures(table).without_value
        )
        return None if is_whole else since

    def _accepted(self, table: str) -> str:
        """Return SQL that is true for the rows whose every value can land."""
        return " and ".join(f"({column.check})" for column in self._columns[table] if column.check) or "true"

    def _from(self, table: str, alias: str = "readable") -> str:
        """Return a table under an alias, with every value as the type that it is read as."""
        name, columns = f"{quote(self._schema)}.{quote(table)}", self._columns[table]
        if any(column.is_cast for column in columns):
            name = f"(select {', '.join(column.source for column in columns)} from {name})"
        return f"{name} as {alias}"

    def fetch(self, query: str, parameters: list | None = None) -> list[tuple]:
        """Return the rows of a query on the snapshot."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()


@contextmanager
def open_postgres(
    url: str,
    *,
    schema: str,
    exclude: Collection[str] = (),
    control_totals: dict[str, ControlTotals] | None = None,
    only: Collection[str] | None = None,
    views: Collection[str] = (),
    cursors: Cursors | None = None,
) -> Iterator[PostgresReading]:
    """Open one consistent view of a schema; raises StepFailed when the database can't be reached."""
    try:
        connection = adbc.connect(url, autocommit=True)
    except adbc.Error as error:
        raise StepFailed(f"the database can't be reached: {one_line(error)}") from error
    with connection:
        with connection.cursor() as cursor:
            # Set after connecting: the URL may have options of its own, and poolers refuse some.
            pinned = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in _SESSION.items())
            cursor.execute(f"select {pinned}")
            cursor.execute("begin isolation level repeatable read read only")
        try:
            yield PostgresReading(connection, schema, exclude, control_totals, only, views, cursors)
        except adbc.Error as error:
            raise StepFailed(f"the database refused: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return the driver's error message without the query that it repeats."""
    reason = one_line(error).partition(" Query was:")[0]
    if "row-level security" in reason:
        reason += "; let the role see all rows (alter role … bypassrls), or leave the table out"
    return reason
