"""What all sources of the settings have in common, and what looking at a new one finds."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ingestion import catalogue
from ingestion.errors import BadRequest
from ingestion.own_sources import OwnSettings
from ingestion.settings import Home
from ingestion.sources.base import Described
from ingestion.sources.duckdb_types import arrow_schema
from ingestion.sql import quote

# They would be read as something else by TOML, YAML, Jinja or SQL, or are the plumbing's.
_UNFIT_NAME = re.compile(r"""[{}"'\\\x00-\x1f]|^\s*$|^_run_date$""", re.IGNORECASE)
_TABLE_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_KEY_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# The types that are summed as a key: ingestion/totals.py.
_KEY_TYPES = ("BIGINT", "INTEGER", "SMALLINT", "VARCHAR")


@dataclass(frozen=True)
class Own(Described):
    """A source that settings alone describe; it has no sample."""

    settings: OwnSettings = field(kw_only=True)

    def is_sample(self, home: Home) -> bool:
        return False

    def exists_on(self, run_date: str) -> bool:
        return self.settings.exists_on(run_date)

    def declared_schemas(self) -> dict[str, pa.Schema]:
        """Return the tables with the columns that the catalogue declares, each with its `data_type`."""
        tables = catalogue.tables_of(self.name)
        return {table.name: arrow_schema(table.name, table.types) for table in tables if table.types}


@dataclass(frozen=True)
class LookedTable:
    """A table of a source that was looked at, its columns with their DuckDB types, and its key."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    is_guess: bool = True


@dataclass(frozen=True)
class Looked:
    """What a new source is: its tables, what its settings and secrets are, how its rows' origin is called.

    `notes` are what whoever adds it should know; none of it but `secrets` holds a secret.
    """

    title: str
    origin: str
    tables: list[LookedTable]
    settings: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def check_names(where: str, tables: dict[str, Collection[str]]) -> None:
    """Raise BadRequest on a table or column whose name can't be written into the project's files."""
    for table, columns in tables.items():
        if not _TABLE_NAME.fullmatch(table):
            raise BadRequest(f"{where} has a table that can't be called {table!r}: expected letters, digits and _")
        unfit = next((name for name in columns if _UNFIT_NAME.search(name)), None)
        if unfit is not None:
            raise BadRequest(f"{where} has a column that can't be called {unfit!r}")
        if len({name.lower() for name in columns}) < len(columns):
            raise BadRequest(f"{where} has columns that differ only in case")


def find_key(
    where: str,
    declared: tuple[str, ...],
    columns: dict[str, str],
    ask: Callable[[str], tuple],
    relation: str,
    rows_needed: int = 1,
) -> tuple[tuple[str, ...], bool]:
    """Return a table's declared key where it can be summed, else the first column filled and different in every row.

    The second of the two says whether it is a guess. `ask` returns the one row of a query, whose SQL DuckDB and
    Postgres share, on `relation`. Raises BadRequest where no column may be the key.
    """
    fit = [name for name, type_ in columns.items() if type_ in _KEY_TYPES and _KEY_NAME.fullmatch(name)]
    if declared and all(name in fit for name in declared):
        return declared, False
    for name in fit:
        value = f"cast({quote(name)} as {columns[name]})"
        query = f"select count(*) >= {rows_needed} and count(*) = count(distinct {value}) from {relation}"
        if ask(query)[0]:
            return (name,), True
    raise BadRequest(f"{where} has no column that may be its key: a number or text, filled and different in every row")
