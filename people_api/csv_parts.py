"""Some lines of a CSV file as rows for the service, and a key by which it knows them again."""

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
    """Rows, the number of the line that the first stands on, and the key: the file's SHA-256, whatever its name."""

    rows: list[Any]
    first_line: int
    key: str


def read_part(path: Path, table: str, first: int, count: int | None) -> Part:
    """Return at most `count` lines from line `first` on, no header; raises StepFailed when they can't be read."""
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
    """Return the row, or the line's text where JSON can't say it: the service rejects that, and keeps it."""
    if isinstance(line.row, dict) and not any(isinstance(value, LongNumber) for value in line.row.values()):
        return line.row
    return line.text
