"""Read a range of a CSV file's lines as rows for the service, with a key that identifies them."""

import hashlib
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any

from ingestion.errors import StepFailed
from people_api.csv_lines import Line, read_lines
from people_api.dictionary import LongNumber
from people_api.tables import table_named


@dataclass(frozen=True)
class Part:
    """Rows, the first one's line number, and the key: the file's SHA-256, whatever its name."""

    rows: list[Any]
    first_line: int
    key: str


def read_part(path: Path, table: str, first: int, count: int | None) -> Part:
    """Return at most `count` lines from line `first` on, without a header; raises StepFailed if it can't read them."""
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            ahead = dropwhile(lambda line: line.number < first, read_lines(file, table_named(table)))
            lines = list(takewhile(lambda line: count is None or line.number < first + count, ahead))
    except OSError as error:
        raise StepFailed(f"{path} can't be read: {error.strerror}") from error
    return Part([_as_json(line) for line in lines], lines[0].number if lines else first, sha256)


def _as_json(line: Line) -> Any:
    """Return the row, or the line's text if JSON can't express it: the service rejects and keeps that text."""
    if isinstance(line.row, dict) and not any(isinstance(value, LongNumber) for value in line.row.values()):
        return line.row
    return line.text
