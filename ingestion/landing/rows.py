"""A table's rows in landed files, as DuckDB SQL: the rows of its files without the removed ones."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingestion.digest import Digest, digest_rows
from ingestion.session import READ_PARQUET, open_scratch

# Which rows of earlier files a day no longer has: a file's path in landing, and the row's number in it from 0.
REMOVED = pa.schema([("file_path", pa.string()), ("pos", pa.int64())])
# DuckDB's virtual columns tell a row's place; a real column of that name would hide one.
_PLACE = ("file_index", "file_row_number")
# A place as one number: the file's, from 1, and the row's.
_NUMBER = "({}) * 1099511627776 + {}"


def has_places(columns: list[str]) -> bool:
    """Return whether the places of rows can be told in files with these columns."""
    return not {column.lower() for column in columns} & set(_PLACE)


@dataclass(frozen=True)
class Rows:
    """Local files with a table's rows, their paths in landing, and the files of removed rows (REMOVED)."""

    files: list[Path]
    names: list[str] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)

    def relation(self, *more: str) -> str:
        """Return a relation of the rows, with more columns (SQL) made of `file_index` and `file_row_number`."""
        selected = f"select {', '.join(['*', *more])} from {READ_PARQUET} as landed"
        if not self.removed:
            return f"({selected})"
        # `not in` keeps the removed places in memory; of `not exists` DuckDB may keep all rows instead.
        gone = f"select {_NUMBER.format('coalesce(list_position(?, file_path), 0)', 'pos')} from {READ_PARQUET}"
        return f"({selected} where {_NUMBER.format('file_index::bigint + 1', 'file_row_number')} not in ({gone}))"

    @property
    def parameters(self) -> list[Any]:
        """The relation's parameters."""
        gone = [self.names, list(map(str, self.removed))] if self.removed else []
        return [list(map(str, self.files)), *gone]

    def digest(self, columns: list[str], figures: str = "") -> Digest:
        """Count and hash the rows over these columns and compute figures (SQL), in one scan."""
        with open_scratch() as connection:
            return digest_rows(connection, self.relation(), columns, self.parameters, figures)
