"""Write sorted rows as a file, a range of keys at a time, and copy the ranges that an earlier file has already."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from ingestion.digest import ALGORITHM, row_hash
from ingestion.redact import FORMULA_STARTS
from ingestion.sources.row_order import order_clause
from ingestion.sql import literal, quote

_KEYS = 2**15  # a piece's, so that its text fits into memory
_AHEAD = 4  # pieces that are written before their turn
_AFTER_ALL = 2**62  # the range of rows without a key
_Text = tuple[bytes, str]  # with its SHA-256
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

    def read(self) -> bytes | None:
        """Return the text, None if it isn't there as it was written."""
        try:
            with Path(self.path).open("rb") as file:
                text = os.pread(file.fileno(), self.size, self.offset)
        except OSError:
            return None
        return text if hashlib.sha256(text).hexdigest() == self.sha256 else None


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
        self._order = order_clause(order_by, session.sql("from mart limit 0").to_arrow_table().schema)
        is_divided = bool(order_by) and self.types.get(order_by[0]) in _WHOLE_NUMBERS
        self._range = f"coalesce({quote(order_by[0])} // {_KEYS}, {_AFTER_ALL})" if is_divided else "0"
        kinds, hashed = row_hash(session, "mart")
        query = f"select {self._range}, count(*), sum({hashed}::hugeint) from mart group by 1 order by 1"
        found = session.execute(query).fetchall()
        self.count = sum(count for _, count, _ in found)
        self._hashes = {range_: f"{count} {total}" for range_, count, total in found}
        self._made_by = f"{ALGORITHM} {kinds}{self._order}"
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
            text = piece.read() if piece else None
            if piece and text is not None:
                return text, piece.sha256
            table = "sorted_mart" if range_ in self._sorted else "mart"
            rows = f"select {cells} from {table} where {self._range} = {range_}{self._order}"
            text = self._copied(rows, draft.with_name(f"{draft.name}.{range_}"), options)
            text = text[len(start) : len(text) - len(end)]
            return text, hashlib.sha256(text).hexdigest()

        with ThreadPoolExecutor(os.cpu_count()) as pool, draft.open("wb") as file:
            header = self._copied(f"select {cells} from mart limit 0", draft.with_name("header"), "format csv")
            file.write(start or header)
            texts = _in_order(pool, text_of, self._hashes)
            for rows, (text, sha256) in zip(self._hashes.values(), texts, strict=True):
                file.write(between if written.pieces else b"")
                written.pieces.append(Piece(rows, path, file.tell(), len(text), sha256))
                file.write(text)
            file.write(end)
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

    def _copied(self, query: str, file: Path, options: str) -> bytes:
        """Return a query's rows as DuckDB writes them to a file, which is removed."""
        with self._session.cursor() as cursor:
            cursor.execute(f"copy ({query}) to {literal(str(file))} ({options})")
        text = file.read_bytes()
        file.unlink()
        return text


def _in_order(pool: ThreadPoolExecutor, work: Callable[[int], _Text], ranges: Iterable[int]) -> Iterator[_Text]:
    """Yield the work's results in order; few are done before they are taken, so that memory is bounded."""
    begun: deque[Future[_Text]] = deque()
    for range_ in ranges:
        begun.append(pool.submit(work, range_))
        if len(begun) > _AHEAD:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()
