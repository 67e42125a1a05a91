"""Read a CSV file for the judge: every line is one row, because no field of the dictionary has line breaks."""

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any, BinaryIO

from ingestion.errors import StepFailed
from ingestion.files import refuse_endless
from people_api.dictionary import LongNumber, read_integer
from people_api.judge import Unreadable
from people_api.tables import TABLES, Table

_INTEGER = re.compile(r"[+-]?[0-9]+")
_BOM = b"\xef\xbb\xbf"
# Far more than any row needs; only the start of a longer line is kept.
_MAX_LINE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Line:
    """A line: its number in the file, from 1, its text without NUL for Postgres, and its row."""

    number: int
    text: str
    row: Any


@dataclass(frozen=True)
class Part:
    """A range of lines as rows for the service, the first one's number, and the file's SHA-256, whatever its name."""

    rows: list[Any]
    first_line: int
    key: str


def open_csv(path: Path) -> BufferedReader:
    """Open a file; raises StepFailed when it can't be read."""
    try:
        refuse_endless(path)
        return path.open("rb")
    except OSError as error:
        raise StepFailed(f"{path} can't be read: {error.strerror}") from error


def hash_csv(file: BufferedReader) -> str:
    """Return an open file's SHA-256, and go back to its beginning."""
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return sha256


def read_part(path: Path, table: str, first: int, count: int | None) -> Part:
    """Return at most `count` lines from line `first` on, without a header; raises StepFailed if it can't read them."""
    with open_csv(path) as file:
        sha256 = hash_csv(file)
        ahead = dropwhile(lambda line: line.number < first, read_lines(file, TABLES[table]))
        lines = list(takewhile(lambda line: count is None or line.number < first + count, ahead))
    return Part([_as_json(line) for line in lines], lines[0].number if lines else first, sha256)


def read_lines(file: BinaryIO, table: Table) -> Iterator[Line]:
    """Yield every line except an optional header; raises StepFailed when the header's names aren't the table's."""
    fields = table.fields
    for number, (raw, is_whole) in enumerate(_split(file), 1):
        if number == 1:
            raw = raw.removeprefix(_BOM)
            header = _header(raw, table)
            if header:
                fields = header
                continue
        text = raw.decode(errors="backslashreplace").replace("\x00", "\\x00")
        yield Line(number, text, _parse(raw, fields, table) if is_whole else Unreadable("line: too long"))


def _split(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield each line, or its start, and whether it is complete, in bounded memory."""
    while raw := file.readline(_MAX_LINE_BYTES):
        rest = raw
        while len(rest) == _MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(_MAX_LINE_BYTES)
        yield raw.removesuffix(b"\n").removesuffix(b"\r"), rest is raw


def _header(raw: bytes, table: Table) -> list[str] | None:
    """Return the fields in a header's order, None for a data row, which has no field name or has a number."""
    names = [name.strip().strip('"').lower() for name in raw.decode(errors="replace").split(",")]
    if not set(names) & set(table.fields) or any(name.isdecimal() for name in names):
        return None
    if sorted(names) != sorted(table.fields):
        raise StepFailed(f"the header must name {', '.join(table.fields)}; it names {', '.join(names)[:200]}")
    return names


def _parse(raw: bytes, fields: list[str], table: Table) -> Any:
    if not raw:
        return Unreadable("line: empty")
    try:
        (cells,) = csv.reader([raw.decode()], strict=True)
    except UnicodeDecodeError:
        return Unreadable("line: not UTF-8")
    except (csv.Error, ValueError) as error:
        return Unreadable(f"line: not CSV: {str(error).partition(' - ')[0]}")  # without its advice for programmers
    if len(cells) != len(fields):
        found = "1 field" if len(cells) == 1 else f"{len(cells)} fields"
        return Unreadable(f"line: {found}, not {len(fields)}")
    return {name: _value(cell, table.types[name]) for name, cell in zip(fields, cells, strict=True)}


def _value(cell: str, type_: str) -> Any:
    if not cell:
        return None
    if type_ != "integer" or not _INTEGER.fullmatch(cell):
        return cell
    return read_integer(cell)


def _as_json(line: Line) -> Any:
    """Return the row, or the line's text if JSON can't express it: the service rejects and keeps that text."""
    if isinstance(line.row, dict) and not any(isinstance(value, LongNumber) for value in line.row.values()):
        return line.row
    return line.text
