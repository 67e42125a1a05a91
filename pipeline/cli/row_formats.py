"""Write rows to standard output: a table for a person, CSV or JSON for a script."""

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal

from ingestion.errors import BadRequest
from ingestion.redact import disarm
from pipeline.cli.json_values import plain_text, write_object
from pipeline.cli.tables import CELL, print_table
from pipeline.run.reporter import Reporter

Format = Literal["table", "csv", "json"]
_TABLE_ROWS = 20


def write_rows(rows: Iterable[dict], columns: tuple[str, ...], form: Format, limit: int | None, to: Reporter) -> None:
    """Write rows given as dicts, as `write_values` does."""
    write_values(([row[column] for column in columns] for row in rows), columns, form, limit, to, "no rejected rows")


def write_values(
    rows: Iterable[Sequence[object]],
    columns: Sequence[str],
    form: Format,
    limit: int | None,
    to: Reporter,
    nothing: str = "no rows",
    longest: int = CELL,
) -> None:
    """Write the first rows, up to the limit; without one, a table shows twenty and counts the rest.

    Raises BadRequest for JSON with two columns of the same name, because JSON would keep only one.
    """
    remaining = iter(rows)
    if form == "table":
        if first := list(islice(remaining, limit or _TABLE_ROWS)):
            print_table(first, columns, to.console, longest)
        else:
            to.say(nothing)
        if more := sum(1 for _ in remaining):
            to.say(f"and {more:,} more; --limit, --format csv and --format json show them")
        return
    write = _write_csv if form == "csv" else _write_json
    write(islice(remaining, limit), columns)


def _write_csv(rows: Iterator[Sequence[object]], columns: Sequence[str]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(map(disarm, columns))
    # A number may begin with a minus; only text can be a formula.
    writer.writerows([disarm(value) if isinstance(value, str) else plain_text(value) for value in row] for row in rows)


def _write_json(rows: Iterator[Sequence[object]], columns: Sequence[str]) -> None:
    if twice := sorted({name for name in columns if list(columns).count(name) > 1}):
        raise BadRequest(f"JSON needs a name of its own for every column, and {', '.join(twice)} comes twice; use `as`")
    separator = "[\n"
    for row in rows:
        sys.stdout.write(separator + write_object(columns, row))
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")
