"""Detect a CSV file's delimiter, columns and types, and guess its key."""

import csv
from pathlib import Path

import duckdb

from ingestion.errors import BadRequest
from ingestion.redact import one_line
from ingestion.session import open_session
from ingestion.sources.csv_lines import UNREADABLE, open_bytes
from ingestion.sources.looking import LookedTable, check_names, look_at_table
from ingestion.sql import quote

MONEY = "DECIMAL(19, 4)"
_KEPT_TYPES = ("BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP")
_MAX_HEADER_BYTES = 1024 * 1024
_READ = """
read_csv(
    $path, auto_detect = false, header = true, delim = $delimiter, quote = '"', escape = '"', all_varchar = true,
    ignore_errors = true, columns = $columns
)
"""


def sniff(name: str, path: Path) -> tuple[str, LookedTable]:
    """Read a whole file; return its delimiter, and the table of this name that it is.

    Raises BadRequest when it can't be read, has no header, or has no column fit to be the key.
    """
    try:
        with open_bytes(path) as file:
            first = file.readline(_MAX_HEADER_BYTES).decode("utf-8-sig").strip("\r\n")
        with open_session() as connection:
            query = "select Delimiter, HasHeader, Columns from sniff_csv(?, sample_size = -1, quote = '\"')"
            delimiter, has_header, found = connection.execute(query, [str(path)]).fetchall()[0]
            columns = {column["name"]: column["type"] for column in found}
            _check_header(path, first, delimiter, has_header, list(columns))
            texts = {"path": str(path), "delimiter": delimiter, "columns": dict.fromkeys(columns, "VARCHAR")}
            columns = _fit_types(connection, texts, columns)
            return delimiter, look_at_table(
                name, columns, lambda query: connection.execute(query, texts).fetchall()[0], _READ
            )
    except UNREADABLE as error:
        raise BadRequest(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} can't be read: its header isn't UTF-8") from error
    except duckdb.Error as error:
        raise BadRequest(f"{path} can't be read as CSV: {one_line(error)}") from error


def _check_header(path: Path, first: str, delimiter: str, has_header: bool, names: list[str]) -> None:
    """Raise BadRequest unless the first line names the columns, each with a different name."""
    if not has_header or next(csv.reader([first], delimiter=delimiter), []) != names:
        raise BadRequest(f"{path} has no header: its first line must name every column, each by a name of its own")
    check_names(str(path), {"file": names})


def _fit_types(connection: duckdb.DuckDBPyConnection, texts: dict, sniffed: dict[str, str]) -> dict[str, str]:
    """Return types that hold every value exactly as written, text where none does."""
    tests = []
    for name, type_ in sniffed.items():
        column = quote(name)
        cast = type_ if type_ in _KEPT_TYPES else "VARCHAR"
        # A code with a leading zero, such as 007, is text.
        fits = f"try_cast({column} as {cast}) is not null and not regexp_matches({column}, '^[+-]?0[0-9]')"
        fits = f"coalesce(bool_and({fits}) filter (where {column} is not null), false)"
        money = f"coalesce(bool_and(regexp_full_match({column}, '[+-]?\\d{{1,15}}(\\.\\d{{0,4}})?')), false)"
        tests.append(f"[{fits}, {money}]")
    found = connection.execute(f"select {', '.join(tests)} from {_READ}", texts).fetchall()[0]
    fitting = {}
    for (name, type_), (fits, is_money) in zip(sniffed.items(), found, strict=True):
        kept = type_ if fits and type_ in _KEPT_TYPES else "VARCHAR"
        fitting[name] = MONEY if kept == "DOUBLE" and is_money else kept
    return fitting
