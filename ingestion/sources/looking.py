"""What `sources add` finds out about a new source."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from ingestion.errors import BadRequest
from ingestion.sql import quote

# TOML, YAML, Jinja or SQL would misread these names, or Tradewinds uses them.
_UNFIT_NAME = re.compile(r"""[{}"'\\\x00-\x1f]|^\s*$|^_run_date$""", re.IGNORECASE)
_TABLE_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
# Postgres would cut a longer one.
_NAME_BYTES = 63
_KEY_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# The types that are summed as a key: ingestion/totals.py.
_KEY_TYPES = ("BIGINT", "INTEGER", "SMALLINT", "VARCHAR")


@dataclass(frozen=True)
class LookedTable:
    """A table of a new source: its columns with their DuckDB types, and its key."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    is_guess: bool = True


@dataclass(frozen=True)
class Looked:
    """A new source: its tables, its settings and secrets, and a word for where its rows come from.

    `notes` are printed when it is added. Only `secrets` holds secrets.
    """

    title: str
    origin: str
    tables: list[LookedTable]
    settings: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def check_names(where: str, tables: dict[str, Collection[str]]) -> None:
    """Raise BadRequest on a table or column name that the project's files can't hold."""
    for table, columns in tables.items():
        for name in (table, *columns):
            if len(name.encode()) > _NAME_BYTES:
                raise BadRequest(
                    f"{where} has a name of more than {_NAME_BYTES} bytes, which Postgres would cut: {name}"
                )
        if not _TABLE_NAME.fullmatch(table):
            raise BadRequest(f"{where} has a table that can't be called {table!r}: expected letters, digits and _")
        unfit = next((name for name in columns if _UNFIT_NAME.search(name)), None)
        if unfit is not None:
            raise BadRequest(f"{where} has a column that can't be called {unfit!r}")
        if len({name.lower() for name in columns}) < len(columns):
            raise BadRequest(f"{where} has columns that differ only in case")


def look_at_table(
    name: str,
    columns: dict[str, str],
    ask: Callable[[str], tuple],
    relation: str,
    *,
    declared: tuple[str, ...] = (),
    rows_needed: int = 1,
) -> LookedTable:
    """Return a table with its declared key if that can be summed, else with the first column unique in every row.

    `ask` returns the only row of a query on `relation`; DuckDB and Postgres both understand its SQL. Raises BadRequest
    when no column can be the key.
    """
    fit = [column for column, type_ in columns.items() if type_ in _KEY_TYPES and _KEY_NAME.fullmatch(column)]
    if declared and all(column in fit for column in declared):
        return LookedTable(name, columns, declared, is_guess=False)
    for column in fit:
        value = f"cast({quote(column)} as {columns[column]})"
        query = f"select count(*) >= {rows_needed} and count(*) = count(distinct {value}) from {relation}"
        if ask(query)[0]:
            return LookedTable(name, columns, (column,))
    raise BadRequest(
        f"table {name} has no column that may be its key: a number or text, filled and different in every row"
    )
