"""Raw's rows by the days that have them: each row of a landed file is stored once, however many days list the file.

A table's rows are in `raw_<x>__versions.<table>`, with their place in landing (`_landed_file`, `_landed_row`). A loaded
day has the rows with `_valid_from` <= day < `_valid_to`. The view `raw_<x>.<table>` has the rows of every loaded day,
with that day as `_run_date`.
"""

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from ingestion.sql import literal, name_of, quote
from ingestion.warehouse.tables import OPS, Columns, RawTable

_SUFFIX = "__versions"
# The end of rows that no later day has ended.
_OPEN = "9999-12-31"
VERSION_COLUMNS = pa.schema(
    [
        ("_landed_file", pa.int64()),
        ("_landed_row", pa.int64()),
        ("_valid_from", pa.date32()),
        ("_valid_to", pa.date32()),
    ]
)
# The days on which a table is loaded.
_DAYS = f"{name_of(OPS, 'landed_tables')} where raw_schema = $1 and table_name = $2"


# The condition for the rows that a day has, which is the first parameter.
ON_DAY = "(_valid_from <= $1::text::date and $1::text::date < _valid_to)"


def stored(raw_schema: str, table: str) -> tuple[str, str]:
    """Return the schema and name of the table with the rows of a raw table."""
    return raw_schema + _SUFFIX, table


def stored_columns(tables: Columns) -> Columns:
    """Return the columns of the tables that hold the rows of raw tables."""
    return {stored(*place): pa.schema([*columns, *VERSION_COLUMNS]) for place, columns in tables.items()}


def file_id(name: str) -> int:
    """Return the number that stands for a landed file in raw: 60 bits of its path's hash."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:15], 16)


class Versions:
    """The rows of one raw table; `cursor` is in the transaction of a load."""

    def __init__(self, cursor: Any, raw_schema: str, table: str):
        self._cursor = cursor
        self._place = [raw_schema, table]
        self._name = name_of(*stored(raw_schema, table))

    def _rows(self, query: str, *parameters: Any) -> list[tuple]:
        self._cursor.execute(query, list(parameters))
        return self._cursor.fetchall()

    def _until(self, day: str) -> str:
        """Return the next loaded day, which ends the validity of a day's own rows."""
        query = f"select min(run_date)::text from {_DAYS} and run_date > $3::text::date"
        return self._rows(query, *self._place, day)[0][0] or _OPEN

    def unload(self, day: str) -> None:
        """Forget which rows a day has; rows that no other day has are removed."""
        until = self._until(day)
        query = f"delete from {self._name} where _valid_from = $1::text::date and _valid_to <= $2::text::date"
        self._cursor.execute(query, [day, until])
        if until != _OPEN:
            query = f"update {self._name} set _valid_from = $2::text::date where _valid_from = $1::text::date"
            self._cursor.execute(query, [day, until])

    def tidy(self) -> tuple[int, int]:
        """Remove the rows that no loaded day has any more; return the numbers of rows before and after."""
        before, days = self.count(), f"select run_date from {_DAYS}"
        has_it = f"select 1 from ({days}) as loaded where _valid_from <= run_date and run_date < _valid_to"
        self._cursor.execute(f"delete from {self._name} where not exists ({has_it})", self._place)
        # Every row begins on a loaded day.
        moved = (
            f"select stored._valid_from as was, min(run_date) as since from {self._name} as stored "
            f"inner join ({days}) as loaded on run_date >= stored._valid_from group by stored._valid_from"
        )
        later = f"({moved}) as moved where _valid_from = was and was < since"
        self._cursor.execute(f"update {self._name} set _valid_from = since from {later}", self._place)
        return before, self.count()

    def share(self, day: str, table: RawTable, gone: dict[int, int], *, anew: bool) -> tuple[list[int], str]:
        """Give an unloaded day the rows that are stored already, and end the others of the day before.

        Returns the places of the table's files whose rows have to be inserted, and the day that ends them. The temp
        table `gone` (file, pos) has the rows that the day doesn't have of its files, `gone` their number by file.
        With `anew` nothing is shared.
        """
        until = self._until(day)
        not_gone = _NOT_GONE if gone else "true"
        kept = {} if anew else self._whole(table, gone, f"{ON_DAY} and {not_gone}", day)
        # Most often, all rows stay.
        if anew or gone or self.count(day) > sum(self._rows_of(table, gone, place) for place in kept.values()):
            self._end(day, until, f"{ON_DAY} and not {_listed(kept, not_gone)}")
        moved = {}
        if until != _OPEN and not anew:
            starting = self._whole(table, gone, f"_valid_from = $1::text::date and {not_gone}", until)
            moved = {file: place for file, place in starting.items() if file not in kept}
        if moved:
            starts = f"_valid_from = $2::text::date and {_listed(moved, not_gone)}"
            self._cursor.execute(f"update {self._name} set _valid_from = $1::text::date where {starts}", [day, until])
        there = {*kept.values(), *moved.values()}
        return [place for place in range(len(table.rows.files)) if place not in there], until

    def _end(self, day: str, until: str, condition: str) -> None:
        """Take rows from a day; later days that have them keep them."""
        if until != _OPEN:
            held = self._rows(
                "select column_name from information_schema.columns where table_schema = $1 and table_name = $2",
                *stored(*self._place),
            )
            own = ", ".join(quote(name) for (name,) in held if name != "_valid_from")
            self._cursor.execute(
                f"insert into {self._name} ({own}, _valid_from) select {own}, $2::text::date from {self._name} "
                f"where {condition} and _valid_to > $2::text::date",
                [day, until],
            )
        self._cursor.execute(f"update {self._name} set _valid_to = $1::text::date where {condition}", [day])

    def _whole(self, table: RawTable, gone: dict[int, int], condition: str, day: str) -> dict[int, int]:
        """Return the files, by id, of which all rows that the day has are stored where a condition holds."""
        query = f"select _landed_file, count(*) from {self._name} where {condition} group by _landed_file"
        found = dict(self._rows(query, day))
        places = {file_id(name): place for place, name in enumerate(table.rows.names)}
        return {
            file: place for file, place in places.items() if found.get(file, 0) == self._rows_of(table, gone, place)
        }

    @staticmethod
    def _rows_of(table: RawTable, gone: dict[int, int], place: int) -> int:
        """Return the number of rows that the day has of a table's file."""
        rows = parquet.read_metadata(table.rows.files[place]).num_rows
        return rows - gone.get(file_id(table.rows.names[place]), 0)

    def count(self, day: str | None = None) -> int:
        """Return the number of rows that a day has, or that are stored."""
        query = f"select count(*) from {self._name} where {ON_DAY if day else 'true'}"
        return self._rows(query, *([day] if day else []))[0][0]


_NOT_GONE = "not exists (select 1 from gone where gone.file = _landed_file and gone.pos = _landed_row)"


def _listed(files: dict[int, int], not_gone: str) -> str:
    """Return a condition for the rows of these files that the day has."""
    return f"(_landed_file in ({', '.join(map(str, files))}) and {not_gone})" if files else "false"


def views(cursor: Any, tables: Columns) -> list[str]:
    """Return the statements that make the views of raw tables where they are missing or have other columns."""
    cursor.execute(
        "select table_schema, table_name, column_name, data_type from information_schema.columns "
        "where table_schema like 'raw%' order by ordinal_position"
    )
    held: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, type_ in cursor.fetchall():
        held.setdefault((schema, table), {})[column] = type_
    statements = []
    for raw_schema, table in tables:
        place = stored(raw_schema, table)
        columns = {name: type_ for name, type_ in held[place].items() if name not in VERSION_COLUMNS.names}
        *shown, last = list(held.get((raw_schema, table), {}).items()) or [("", "")]
        if shown == list(columns.items()) and last[0] == "_run_date":
            continue
        view, rows = name_of(raw_schema, table), ", ".join(f"stored.{quote(name)}" for name in columns)
        days = f"loaded.raw_schema = {literal(raw_schema)} and loaded.table_name = {literal(table)}"
        valid = "stored._valid_from <= loaded.run_date and loaded.run_date < stored._valid_to"
        statements += [
            f"create schema if not exists {quote(raw_schema)}",
            f"drop view if exists {view} cascade",
            f"create view {view} as select {rows}, loaded.run_date as _run_date from {name_of(*place)} as stored "
            f"inner join {name_of(OPS, 'landed_tables')} as loaded on {days} and {valid}",
        ]
    return statements


def adopt(cursor: Any, tables: Columns) -> list[str]:
    """Return the statements that turn raw tables with each day's rows, as raw once had, into tables of versions."""
    cursor.execute(
        "select table_schema, table_name from information_schema.tables "
        "where table_schema like 'raw%' and table_type = 'BASE TABLE'"
    )
    old = set(cursor.fetchall()) & set(tables)
    statements = []
    for raw_schema, table in sorted(old):
        cursor.execute(
            "select column_name from information_schema.columns where table_schema = $1 and table_name = $2 "
            "order by ordinal_position",
            [raw_schema, table],
        )
        columns = ", ".join(f"old.{quote(name)}" for (name,) in cursor.fetchall() if name != "_run_date")
        name, before = name_of(*stored(raw_schema, table)), name_of(raw_schema, table)
        until = f"coalesce(lead(run_date) over (order by run_date), date '{_OPEN}')"
        of_table = f"raw_schema = {literal(raw_schema)} and table_name = {literal(table)}"
        days = f"select run_date, {until} as until from {name_of(OPS, 'landed_tables')} where {of_table}"
        statements += [
            f"create schema if not exists {quote(stored(raw_schema, table)[0])}",
            f"create table {name} as select {columns}, cast(0 as bigint) as _landed_file, "
            "cast(0 as bigint) as _landed_row, days.run_date as _valid_from, days.until as _valid_to "
            f"from {before} as old inner join ({days}) as days on old._run_date = days.run_date",
            f"drop table {before} cascade",
        ]
    return statements
