"""Rows on standard output: a table for a person, CSV or JSON for a script."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

from rich.table import Table
from rich.text import Text

from ingestion.redact import disarm, show_text
from pipeline.reporter import Reporter

_TABLE_ROWS = 20


def write_rows(
    rows: Iterable[dict],
    columns: tuple[str, ...],
    form: Literal["table", "csv", "json"],
    limit: int | None,
    to: Reporter,
) -> None:
    """Write the first rows, up to the limit; without one a table has twenty, and says how many more there are."""
    remaining = iter(rows)
    if form == "table":
        _print_table(islice(remaining, limit or _TABLE_ROWS), columns, to)
        if more := sum(1 for _ in remaining):
            to.say(f"and {more:,} more; --limit, --format csv and --format json show them")
        return
    write = _write_csv if form == "csv" else _write_json
    write(islice(remaining, limit), columns)


def _print_table(rows: Iterator[dict], columns: tuple[str, ...], to: Reporter) -> None:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        # Text is shown as it is; a string would be read as rich's markup.
        table.add_row(*(Text("" if row[column] is None else show_text(str(row[column]))) for column in columns))
    if table.row_count:
        to.console.print(table)
    else:
        to.say("no rejected rows")


def _write_csv(rows: Iterator[dict], columns: tuple[str, ...]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([disarm(row[column]) for column in columns] for row in rows)


def _write_json(rows: Iterator[dict], columns: tuple[str, ...]) -> None:
    separator = "[\n"
    for row in rows:
        record = {column: row[column] for column in columns}
        sys.stdout.write(separator + json.dumps(record, ensure_ascii=False, default=str))
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")
