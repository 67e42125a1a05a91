"""Write sorted rows as a file, a range of keys at a time, and copy the ranges that an earlier file has already."""

import errno
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import duckdb

from ingestion.digest import ALGORITHM, digest_ranges
from ingestion.redact import FORMULA_STARTS
from ingestion.sources.selection import Selection
from ingestion.sql import literal, quote

_KEYS = 2**15  # a piece's
_AHEAD = 4  # pieces that are written before their turn
_AFTER_ALL = 2**62  # the range of rows without a key
_CHUNK_BYTES = 1024 * 1024
_Text = tuple[BinaryIO, int, int, str]  # an open file, the offset, the size and the SHA-256 of a part of it
_WHOLE_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
# COPY's options, and what a file has before, between and after its pieces.
_FORMATS = {
    "csv": ("format csv, header false", b"", b"", b""),
    "json": ("format json, array true", b"[\n", b",\n", b"\n]\n"),
}


@dataclass(frozen=True)
class Piece:
    """The hash of a piece's rows, and where its text is in a file."""

    rows: str
    path: str
    offset: int
    size: int
    sha256: str

    def open(self) -> BinaryIO | None:
        """Open its file if the text is still there; the file stays the same one, even if another replaces it."""
        with suppress(OSError):
            file = Path(self.path).open("rb", buffering=0)  # noqa: SIM115 (its reader closes it)
            if _sha256(file, self.offset, self.size) == self.sha256:
                return file
            file.close()
        return None


@dataclass(frozen=True)
class Written:
    """The pieces of a file, and what their text depends on beside the rows."""

    made_by: str
    pieces: list[Piece] = field(default_factory=list)


class Rows:
    """The rows of the relation `mart` in a DuckDB session, by ranges of the first key if that is a whole number."""

    def __init__(self, session: duckdb.DuckDBPyConnection, order_by: list[str]):
        self._session = session
        self.types = {name: type_ for name, type_, *_ in session.execute("describe mart").fetchall()}
        self._order = Selection(order_by).ordered(session.sql("from mart limit 0").to_arrow_table().schema)
        is_divided = bool(order_by) and self.types.get(order_by[0]) in _WHOLE_NUMBERS
        self._range = f"coalesce({quote(order_by[0])} // {_KEYS}, {_AFTER_ALL})" if is_divided else "0"
        digest, self._hashes = digest_ranges(session, "mart", self._range)
        self.count = digest.rows
        self._made_by = f"{ALGORITHM} {self.types}{self._order}"
        self._sorted: set[int] = set()

    def write(self, draft: Path, path: str, format_: str, columns: list[str] | None, before: Written | None) -> Written:
        """Write a draft of the file at `path`; pieces of the same rows are taken from the earlier one on disk."""
        options, start, between, end = _FORMATS[format_]
        cells = ", ".join(self._cell(name, format_) for name in columns or self.types)
        written = Written(f"{duckdb.__version__} {options} {cells} {self._made_by}")
        pieces = before.pieces if before and before.made_by == written.made_by else []
        earlier = {piece.rows: piece for piece in pieces if Path(piece.path).is_file()}
        self._sort({range_ for range_, rows in self._hashes.items() if rows not in earlier})

        def text_of(range_: int) -> _Text:
            piece = earlier.get(self._hashes[range_])
            if piece and (file := piece.open()):
                return file, piece.offset, piece.size, piece.sha256
            table = "sorted_mart" if range_ in self._sorted else "mart"
            rows = f"select {cells} from {table} where {self._range} = {range_}{self._order}"
            file = self._copied(rows, draft.with_name(f"{draft.name}.{range_}"), options)
            size = os.fstat(file.fileno()).st_size - len(start) - len(end)
            return file, len(start), size, _sha256(file, len(start), size)

        with ThreadPoolExecutor(os.cpu_count()) as pool, draft.open("wb", buffering=0) as made:
            made.write(start)
            if format_ == "csv":
                none = f"select {cells} from mart limit 0"
                with self._copied(none, draft.with_name("header"), "format csv, header true") as header:
                    made.write(header.read())
            texts = _in_order(pool, text_of, self._hashes)
            for rows, (file, offset, size, sha256) in zip(self._hashes.values(), texts, strict=True):
                made.write(between if written.pieces else b"")
                written.pieces.append(Piece(rows, path, made.tell(), size, sha256))
                with file:
                    _append(made, file, offset, size)
            made.write(end)
        return written

    def _sort(self, ranges: set[int]) -> None:
        """Sort the rows of these ranges, unless they are."""
        if not ranges <= self._sorted:
            chosen = f"{self._range} in ({', '.join(map(str, ranges))})"
            self._session.execute(f"create or replace table sorted_mart as from mart where {chosen}{self._order}")
            self._sorted = ranges

    def _cell(self, column: str, format_: str) -> str:
        """Return a column's SQL; in CSV, texts that a spreadsheet would run as a formula get an apostrophe."""
        name, starts, apostrophe = quote(column), ", ".join(map(literal, FORMULA_STARTS)), literal("'")
        if format_ != "csv" or self.types[column] != "VARCHAR":
            return name
        return f"case when left({name}, 1) in ({starts}) then {apostrophe} || {name} else {name} end as {name}"

    def _copied(self, query: str, path: Path, options: str) -> BinaryIO:
        """Return a file with a query's rows as DuckDB writes them; it has no name any more."""
        with self._session.cursor() as cursor:
            cursor.execute(f"copy ({query}) to {literal(str(path))} ({options})")
        file = path.open("rb", buffering=0)
        path.unlink()
        return file


def _sha256(file: BinaryIO, offset: int, size: int) -> str:
    """Return the hex SHA-256 of a part of a file, shorter if the file ends in it."""
    digest, end = hashlib.sha256(), offset + size
    while offset < end and (chunk := os.pread(file.fileno(), min(_CHUNK_BYTES, end - offset), offset)):
        digest.update(chunk)
        offset += len(chunk)
    return digest.hexdigest()


def _append(made: BinaryIO, file: BinaryIO, offset: int, size: int) -> None:
    """Append a part of a file to another one, inside the kernel where it can."""
    end = offset + size
    while offset < end:
        try:
            copied = os.copy_file_range(file.fileno(), made.fileno(), end - offset, offset)
        except (AttributeError, OSError):  # macOS has no such call, and few file systems copy from another one
            copied = made.write(os.pread(file.fileno(), min(_CHUNK_BYTES, end - offset), offset))
        if not copied:
            raise OSError(errno.EIO, "The file has become shorter", file.name)
        offset += copied


def _in_order(pool: ThreadPoolExecutor, work: Callable[[int], _Text], ranges: Iterable[int]) -> Iterator[_Text]:
    """Yield the work's results in order; few are done before they are taken, because each is an open file."""
    begun: deque[Future[_Text]] = deque()
    for range_ in ranges:
        begun.append(pool.submit(work, range_))
        if len(begun) > _AHEAD:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()
