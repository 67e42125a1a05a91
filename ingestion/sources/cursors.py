"""Incremental extract of a database's tables: the settings of a table's cursor, and the rows that it selects.

The ideas are those of dlt's `incremental`: `cursor` is its `cursor_path`, `look_back` its `lag`, `key` its
`primary_key`. `append` opens the range's start. Rows without a cursor value are always read.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from ingestion.errors import BadRequest
from ingestion.known_settings import SETTINGS_OF_A_TABLE
from ingestion.landing import Column, Manifest, Table
from ingestion.settings import Home, setting_variable, source_setting
from ingestion.source_settings import settings_section
from ingestion.sources.base import Bookmark, Source
from ingestion.sources.postgres_types import PostgresColumn
from ingestion.sql import literal, quote

# The types of a cursor, and the type in which its look-back is subtracted.
_TYPES = {
    "int2": "int8", "int4": "int8", "int8": "int8", "numeric": "numeric",
    "date": "date", "timestamp": "timestamp", "timestamptz": "timestamptz",
}  # fmt: skip
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Cursor:
    """How the new and changed rows of a table are found; without a key they are appended."""

    variable: str  # the setting's, for messages
    column: str
    key: tuple[str, ...]
    look_back: Decimal

    def check(self, table: str, columns: Mapping[str, PostgresColumn]) -> None:
        """Raise BadRequest when the table's columns can't serve."""
        for name, column in (("cursor", self.column), *(("key", one) for one in self.key)):
            if column not in columns:
                has = f"table {table} has no column {column}; it has {', '.join(columns)}"
                raise BadRequest(f"{self.variable}__{name.upper()}: {has}")
        type_name = columns[self.column].type_name
        if type_name not in _TYPES:
            expected = "expected a whole number, a numeric, a date or a timestamp"
            raise BadRequest(f"{self.variable}__CURSOR: {table}.{self.column} is of type {type_name}; {expected}")
        if _TYPES[type_name] in ("int8", "date") and self.look_back % 1:
            raise BadRequest(f"{self.variable}__LOOK_BACK must be whole for {table}.{self.column} ({type_name})")

    def since(self, type_name: str, value: str) -> str:
        """Return SQL that is true for the rows since the last value, less the look-back in its unit or in days."""
        column, type_ = quote(self.column), _TYPES[type_name]
        start = f"{literal(value)}::{type_}"
        if not self.key:
            return f"{column} > {start}"
        if type_ == "int8":
            start = f"'{max(int(value) - int(self.look_back), -(2**63))}'::int8"
        elif type_.startswith("timestamp"):
            start += f" - interval '{self.look_back:f} days'"
        else:
            start += f" - {int(self.look_back)}" if type_ == "date" else f" - {self.look_back:f}"
        return f"({column} >= {start} or {column} is null)"


@dataclass(frozen=True)
class Cursors:
    """The cursors of a source's tables, and its previous landed day's tables with their bookmarks."""

    by_table: Mapping[str, Cursor] = field(default_factory=dict)
    before: Mapping[str, Table] = field(default_factory=dict)

    def check(self, tables: Mapping[str, Sequence[PostgresColumn]]) -> None:
        """Raise BadRequest when a table is missing or its columns can't serve."""
        for table, cursor in self.by_table.items():
            if table not in tables:
                has = f"the source has no table {table}; it has {', '.join(tables)}"
                raise BadRequest(f"{cursor.variable}__CURSOR: {has}")
            cursor.check(table, {column.name: column for column in tables[table]})

    def key(self, table: str) -> tuple[str, ...]:
        """Return the key of a table with a cursor."""
        return self.by_table[table].key

    def since(self, table: str, columns: Sequence[PostgresColumn], version: str) -> str | None:
        """Return SQL that is true for the rows since the bookmark; None without one, or if it is of another table."""
        cursor, before = self.by_table.get(table), self.before.get(table)
        if not cursor or not before or before.columns != [Column(one.name, str(one.arrow_type)) for one in columns]:
            return None
        value = str(before.bookmark.get("value", ""))
        bookmark = self.bookmark(table, columns, version, value)
        return cursor.since(str(bookmark["type"]), value) if before.bookmark == bookmark else None

    def select_last(self, table: str, accepted: str) -> str:
        """Return SQL for the last value of the accepted rows, as text, and the number of rows without one."""
        if table not in self.by_table:
            return "null, null"
        column = quote(self.by_table[table].column)
        return f"(max({column}) filter (where {accepted}))::text, count(*) filter (where {column} is null)"

    def bookmark(self, table: str, columns: Sequence[PostgresColumn], version: str, last: str | None) -> Bookmark:
        """Return the last value, and what it is a value of; nothing for a table without one."""
        if last is None:
            return {}
        name = self.by_table[table].column
        type_name = next(column.type_name for column in columns if column.name == name)
        return {"column": name, "type": type_name, "table": version, "value": last}


def cursors_of(source: Source, home: Home, before: Manifest | None) -> Cursors:
    """Return the cursors in a source's settings; call while it is open. Raises BadRequest when they can't be read."""
    sections = source_setting(source.name, "tables")
    keys = {table: control.key for table, control in source.control_totals.items()}
    found = {
        table: _read(source.name, table, entries, keys.get(table, ()))
        for table, entries in (sections.items() if isinstance(sections, dict) else ())
        if table and entries != {}
    }
    is_same = found and before is not None and before.is_sample == source.is_sample(home)
    return Cursors(found, before.tables if before and is_same else {})


def listed_tables(source: str, has_sample: bool) -> list[str] | None:
    """Return the tables that the settings name: in a list, or else each by its section, unless it has a sample."""
    tables = source_setting(source, "tables")
    if not isinstance(tables, dict) or "" in tables:
        return source_names(source, "tables")
    return None if has_sample else list(tables)


def source_names(source: str, name: str) -> list[str] | None:
    """Return a setting that lists names, None when it is unset; raises BadRequest when it is anything else."""
    value = source_setting(source, name)
    value = value.get("", value) if isinstance(value, dict) else value
    names = _listed(value)
    if names is None or (isinstance(names, list) and all(isinstance(one, str) for one in names)):
        return names
    variable = setting_variable(source, name)
    raise BadRequest(f'{variable} can\'t be read: expected a JSON list of names such as ["a", "b"], found {value!r}')


def _listed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _read(source: str, table: str, entries: Any, key: str | tuple[str, ...]) -> Cursor:
    """Read the settings of one table; `key` is the one that the catalogue declares."""
    variable, section = setting_variable(source, f"tables__{table}"), settings_section(f"{source}.tables.{table}")
    if not isinstance(entries, dict):
        raise BadRequest(f"{section}: expected {', '.join(SETTINGS_OF_A_TABLE)}, found {entries!r}")
    _refuse_unknown(section, entries)
    column = entries.get("cursor")
    if not isinstance(column, str) or not column:
        raise BadRequest(f"{section}: expected cursor, the name of a column")
    appends, look_back = _TRUTH.get(str(entries.get("append", False)).lower()), entries.get("look_back", 0)
    if appends is None:
        raise BadRequest(f"{variable}__APPEND: expected true or false, found {entries['append']!r}")
    if isinstance(look_back, bool) or not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,6})?", str(look_back)):
        raise BadRequest(f"{variable}__LOOK_BACK: expected a number from 0, found {look_back!r}")
    if appends:
        if clash := [name for name in ("key", "look_back") if name in entries]:
            raise BadRequest(f"{section}: append is for rows that never change, so it excludes {' and '.join(clash)}")
        return Cursor(variable, column, (), Decimal(0))
    return Cursor(variable, column, _read_key(variable, entries.get("key"), key), Decimal(str(look_back)))


def _read_key(variable: str, configured: Any, declared: str | tuple[str, ...]) -> tuple[str, ...]:
    key = _listed(configured) if configured is not None else declared
    key = (key,) if isinstance(key, str) else tuple(key) if isinstance(key, list | tuple) else (None,)
    if not key or not all(isinstance(one, str) and one for one in key):
        expected = "expected the columns that tell its rows apart, or append = true for rows that never change"
        raise BadRequest(f"{variable}__KEY: {expected}, found {configured!r}")
    return key


def _refuse_unknown(section: str, names: Collection[str]) -> None:
    for name in sorted(set(names) - set(SETTINGS_OF_A_TABLE)):
        near = get_close_matches(name, SETTINGS_OF_A_TABLE, n=1)
        raise BadRequest(f"{section}: unknown setting {name}" + (f" (did you mean {near[0]}?)" if near else ""))
