"""The first pass over a CSV file: which physical lines can be handed to a parser at all.

DuckDB drops everything after an unclosed quote without a word, replaces bytes that aren't UTF-8 in what it reports, and
stops at mixed line ends. So those lines are set aside here, with their number and text, and the rest is copied with
plain line ends. Line numbers count physical lines from 1, the header's.
"""

import bisect
import csv
import re
from pathlib import Path
from typing import BinaryIO

_BOM = b"\xef\xbb\xbf"
_CHUNK_BYTES = 4 * 1024 * 1024
_MAX_LINE_BYTES = 1024 * 1024


class LineFilter:
    """Copies the safe lines of `path` to `clean`; `records` counts all lines but the header and empty ones."""

    def __init__(self, path: Path, delimiter: str, clean: Path):
        self.path = path
        self.clean = clean
        self.records = 0
        self.rejected: list[tuple[int, str, str]] = []
        self._delimiter = delimiter
        self._well_quoted = _quoting(delimiter.encode())
        self._left_out: list[int] = []
        self._header = ""

    def run(self) -> None:
        """Read the file once, in pieces of bounded size; raises OSError when it can't be read."""
        with self.path.open("rb") as source, self.clean.open("wb") as clean:
            first = source.readline(_MAX_LINE_BYTES).removeprefix(_BOM)
            self._header = first.decode("utf-8", errors="backslashreplace").strip("\r\n")
            clean.write(first.rstrip(b"\r\n") + b"\n")
            number = 2
            while chunk := source.read(_CHUNK_BYTES):
                chunk += source.readline()
                number += self._pass_on(chunk, number, clean)

    def header(self) -> list[str]:
        """Return the header's fields, none for an empty file."""
        return next(csv.reader([self._header], delimiter=self._delimiter), [])

    def original_number(self, clean_number: int) -> int:
        """Return the number in the original file of a line of the clean copy."""
        number = clean_number
        while (shifted := clean_number + bisect.bisect_right(self._left_out, number)) != number:
            number = shifted
        return number

    def _pass_on(self, chunk: bytes, number: int, clean: BinaryIO) -> int:
        """Write a chunk's safe lines and return how many physical lines it held."""
        chunk = chunk.replace(b"\r\n", b"\n").removesuffix(b"\n")
        lines = chunk.split(b"\n")
        if _is_plain(chunk, lines):
            self.records += len(lines)
            clean.write(chunk + b"\n")
            return len(lines)
        for line_number, line in enumerate(lines, start=number):
            rule = self._unsafe(line) if line else None
            if line and not rule:
                clean.write(line + b"\n")
            else:
                self._left_out.append(line_number)
            if rule:
                text = line.decode("utf-8", errors="backslashreplace").replace("\0", "\\x00")
                self.rejected.append((line_number, rule, text))
            self.records += bool(line)
        return len(lines)

    def _unsafe(self, line: bytes) -> str | None:
        """Name the rule a line breaks, None when a parser can be trusted with it."""
        if len(line) > _MAX_LINE_BYTES:
            return "line too long"
        if b"\0" in line or b"\r" in line:
            return "control character"
        if not _is_utf8(line):
            return "not UTF-8"
        return None if self._well_quoted.fullmatch(line) else "misplaced quote"


def _quoting(delimiter: bytes) -> re.Pattern[bytes]:
    """Return RFC 4180's rule for a line: a field is quoted as a whole, with its quotes doubled, or has none."""
    plain, quoted = rb'[^"%b]*+' % re.escape(delimiter), rb'"(?:[^"]|"")*+"'
    field = rb"(?:%b|%b)" % (quoted, plain)
    return re.compile(rb"%b(?:%b%b)*+" % (field, re.escape(delimiter), field))


def _is_plain(chunk: bytes, lines: list[bytes]) -> bool:
    """Say whether every line of a chunk is safe, at the speed of whole-chunk checks."""
    if any(byte in chunk for byte in (b'"', b"\0", b"\r")):
        return False
    lengths = [len(line) for line in lines]
    return min(lengths) > 0 and max(lengths) <= _MAX_LINE_BYTES and _is_utf8(chunk)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
