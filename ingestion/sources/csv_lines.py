"""The first pass over a CSV file: find the physical lines that a parser can read safely.

DuckDB silently drops everything after an unclosed quote, replaces bytes that aren't UTF-8 in its reports, stops at
mixed line ends, reads `1.5` and `0x2` as the integer 2, and overlooks one extra delimiter. This pass rejects such lines
with their number and text, and copies the rest with plain line ends. Line numbers count physical lines from 1, the
header.

Of a file that grew since an earlier pass, only the new lines are checked and copied; what is before them must have the
earlier pass's SHA-256, and is only hashed.
"""

import bisect
import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Mapping
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO

from ingestion.files import refuse_endless

# The errors of reading a file, including a truncated or damaged gzip file.
UNREADABLE = (OSError, EOFError, zlib.error)
_BOM = b"\xef\xbb\xbf"
_CHUNK_BYTES = 4 * 1024 * 1024
_MAX_LINE_BYTES = 1024 * 1024
_SIGNED_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")


def _candidates(delimiter: str) -> dict[str, bytes]:
    """Return patterns of typed fields by DuckDB's names of the types; DuckDB decides whether a candidate is one."""
    blanks = {"\t": rb"[ ]*+", " ": rb"[\t]*+"}.get(delimiter, rb"[ \t]*+")
    # Tools write `2.0` in columns with missing values.
    number = rb"%b[+-]?[0-9]*+(?:\.0*+)?%b" % (blanks, blanks)
    # A year from 0001 to 9999, no keyword such as `epoch`, no era, and no zone but UTC: a plain timestamp drops the
    # offset. The first and last day have no zone, because in UTC they may be in another year.
    time = rb"%b(?:(?!0+[-/]|9999.{6}[ T]24)[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,2}(?:[ T]++[0-9:.]*+(?: ?%b)?)?)?%b"
    in_utc = time % (blanks, rb"(?:(?i:Z|UTC|GMT)|[+-]00(?::?00){0,2})", blanks)
    in_zone = time % (blanks, rb"(?:[+-][0-9:]++|[A-Z][A-Za-z/_+0-9-]*+)", blanks)
    in_zone = rb"(?!(?:0001-01-01|9999-12-31)[ T].*[^0-9:.])" + in_zone
    return {
        **dict.fromkeys((*_SIGNED_TYPES, *(f"U{one}" for one in _SIGNED_TYPES)), rb"-?+[0-9]*+|" + _quoted_too(number)),
        **dict.fromkeys(_TIMES, _quoted_too(in_utc)),
        "TIMESTAMP WITH TIME ZONE": _quoted_too(in_zone),
    }


def _quoted_too(pattern: bytes) -> bytes:
    return rb'%b|"%b"' % (pattern, pattern)


def open_bytes(path: Path) -> BufferedIOBase:
    """Open a file for reading; one that ends in .gz is decompressed while it is read."""
    refuse_endless(path)
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


class LineFilter:
    """Copies the safe lines of `path` to `clean`; `records` counts all lines but the header and empty ones.

    If the file begins with what an `earlier` pass read (its `passed`), only the lines after it are copied (`is_tail`).
    """

    def __init__(
        self,
        path: Path,
        delimiter: str,
        columns: dict[str, str],
        clean: Path,
        earlier: Mapping[str, str | int] | None = None,
    ):
        self.path = path
        self.clean = clean
        self.records = 0
        self.is_tail = False
        self._earlier = earlier
        self._read = hashlib.sha256()
        self._bytes = self._lines = self._skipped_lines = 0
        self.rejected: list[tuple[int, str, str]] = []
        self._delimiter = delimiter
        self._columns = columns
        # RFC 4180: a field is quoted as a whole, with inner quotes doubled, or has no quotes.
        escaped = re.escape(delimiter.encode())
        field = rb'"(?:[^"\n\r\0]|"")*+"|[^"\n\r\0%b]*+' % escaped
        self._candidates = _candidates(delimiter)
        line = escaped.join(rb"(?:%b)" % self._candidates.get(type_, field) for type_ in columns.values())
        self._field = re.compile(field)
        self._safe_line = re.compile(line)
        self._safe_lines = re.compile(rb"(?:%b\n)*+%b" % (line, line))
        self._left_out: list[int] = []
        self._header = ""

    def run(self) -> None:
        """Read the file once, in pieces of bounded size; raises one of UNREADABLE when it can't be read."""
        with open_bytes(self.path) as source, self.clean.open("wb") as clean:
            line = source.readline(_MAX_LINE_BYTES)
            self._note(line, 1)
            first = line.removeprefix(_BOM)
            self._header = first.decode("utf-8", errors="backslashreplace").strip("\r\n")
            clean.write(first.rstrip(b"\r\n") + b"\n")
            if self._earlier:
                self._skip(source, self._earlier)
            while chunk := source.read(_CHUNK_BYTES):
                chunk += source.readline()
                self._note(chunk, self._pass_on(chunk, self._lines + 1, clean))

    def passed(self) -> dict[str, str | int]:
        """Return what the pass has read, for a later pass: the file's length, lines, records and SHA-256."""
        return {
            "bytes": self._bytes,
            "lines": self._lines,
            "records": self.records,
            "sha256": self._read.hexdigest(),
        }

    def _note(self, data: bytes, lines: int) -> None:
        self._read.update(data)
        self._bytes += len(data)
        self._lines += lines

    def _skip(self, source: BufferedIOBase, earlier: Mapping[str, str | int]) -> None:
        """Go to the end of what was read earlier, or stay if it has changed or its last line goes on."""
        start = source.tell()
        read, left, last = self._read.copy(), int(earlier["bytes"]) - self._bytes, b""
        while left > 0 and (piece := source.read(min(left, _CHUNK_BYTES))):
            read.update(piece)
            left -= len(piece)
            last = piece[-1:]
        # The line end that the last line lacked is part of neither; after a CR, that line was misread.
        line_end = source.readline(3) if last not in (b"", b"\n") else b""
        if read.hexdigest() != earlier["sha256"] or last == b"\r" or line_end not in (b"", b"\n", b"\r\n"):
            source.seek(start)
            return
        read.update(line_end)
        self._read, self._bytes = read, int(earlier["bytes"]) + len(line_end)
        self._lines, self.records, self.is_tail = int(earlier["lines"]), int(earlier["records"]), True
        self._skipped_lines = self._lines - 1

    def header(self) -> list[str]:
        """Return the header's fields: none for an empty file, one for a line that isn't CSV."""
        try:
            return next(csv.reader([self._header], delimiter=self._delimiter), [])
        except csv.Error:
            return [self._header]

    def original_number(self, clean_number: int) -> int:
        """Return the original file's line number for a line of the clean copy."""
        number = first = clean_number + self._skipped_lines
        while (shifted := first + bisect.bisect_right(self._left_out, number)) != number:
            number = shifted
        return number

    def _pass_on(self, chunk: bytes, number: int, clean: BinaryIO) -> int:
        """Write a chunk's safe lines and return how many physical lines it held."""
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n")
        chunk = chunk.removesuffix(b"\n")
        if self._are_safe(chunk):
            count = chunk.count(b"\n") + 1
            self.records += count
            clean.write(chunk)
            clean.write(b"\n")
            return count
        lines = chunk.split(b"\n")
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
        """Return the rule that a line breaks, None when a parser can read it safely."""
        if len(line) > _MAX_LINE_BYTES:
            return "line too long"
        if b"\0" in line or b"\r" in line:
            return "control character"
        if not _is_utf8(line):
            return "not UTF-8"
        if self._safe_line.fullmatch(line):
            return None
        fields = self._fields(line)
        if fields is None:
            return "misplaced quote"
        if len(fields) != len(self._columns):
            return "wrong number of columns"
        wrong = (
            name
            for field, (name, type_) in zip(fields, self._columns.items(), strict=True)
            if type_ in self._candidates and not re.fullmatch(self._candidates[type_], field)
        )
        return f"{next(wrong, 'a field')} has the wrong type"

    def _fields(self, line: bytes) -> list[bytes] | None:
        """Split a line into its raw fields; return None when a quote is misplaced."""
        fields, end = [], -1
        while end < len(line) and (field := self._field.match(line, end + 1)):
            fields.append(field.group())
            end = field.end()
            if line[end : end + 1] not in (b"", self._delimiter.encode()):
                return None
        return fields

    def _are_safe(self, chunk: bytes) -> bool:
        """Return whether every line of a chunk is safe, by fast checks of the whole chunk."""
        has_empty_line = not chunk or chunk.startswith(b"\n") or chunk.endswith(b"\n") or b"\n\n" in chunk
        return (
            not has_empty_line
            and not _has_long_line(chunk)
            and self._safe_lines.fullmatch(chunk) is not None
            and _is_utf8(chunk)
        )


def _has_long_line(chunk: bytes) -> bool:
    start = 0
    while len(chunk) - start > _MAX_LINE_BYTES:
        end = chunk.rfind(b"\n", start, start + _MAX_LINE_BYTES + 1)
        if end < 0:
            return True
        start = end + 1
    return False


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
