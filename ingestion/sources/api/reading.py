"""Read an API's lists as Arrow: every row is valid, or a reject with its request, position and text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ingestion.errors import StepFailed
from ingestion.landing import Answer
from ingestion.sources.api.columns import read_columns
from ingestion.sources.api.ids import SeenIds
from ingestion.sources.api.lists import split_list
from ingestion.sources.api.shapes import Shape
from ingestion.sources.base import Place, Reading

if TYPE_CHECKING:
    from ingestion.sources.api.pages import Page, Pages

ROWS_PER_BATCH = 50_000
NUL = rb"\u0000"  # JSON's only spelling for it


class ApiReading(Reading):
    """Lists of declared shapes, read one after the other, each as it is when requested."""

    def __init__(self, shapes: dict[str, Shape], pages: "Pages"):
        self._shapes = shapes
        self._pages = pages
        self._rejects: dict[str, list[dict]] = {}
        self._counts: dict[str, int] = {}
        self._fields: dict[str, set[str]] = {}

    def schemas(self) -> dict[str, pa.Schema]:
        return {table: shape.schema for table, shape in self._shapes.items()}

    def read(self, table: str) -> Iterator[pa.Table]:
        shape, ids, total = self._shapes[table], SeenIds(), None
        self._rejects[table], self._counts[table], self._fields[table] = [], 0, set()
        held: list[pa.Table] = []
        for page in self._pages.of(table):
            total = page.total_count
            self._counts[table] += len(page.rows)
            self._fields[table] |= shape.fields_of(page.rows)
            held.append(self._good_rows(table, page))
            self._refuse_repeated(table, ids, held[-1])
            if sum(map(len, held)) >= ROWS_PER_BATCH:
                yield _join(held)
        if held:
            yield _join(held)
        if total is not None and total != self._counts[table]:
            raise StepFailed(f"table {table}: the API says that it has {total} rows, and sent {self._counts[table]}")

    def rejects(self, table: str) -> list[dict]:
        return self._rejects[table]

    def count(self, table: str) -> int:
        return self._counts[table]

    def land_answers(self, table: str, place: Place) -> list[Answer]:
        return self._pages.land(table, place)

    def missing_fields(self) -> list[str]:
        """Return every declared field that no row has, for tables with rows."""
        return [
            f"{table}.{field.path}"
            for table, found in self._fields.items()
            for field in self._shapes[table].fields
            if self._counts[table] and field.path not in found
        ]

    def undeclared_fields(self) -> dict[str, list[str]]:
        """Return the sent fields without a column, by table; only the answers hold them."""
        declared = {table: {field.path for field in shape.fields} for table, shape in self._shapes.items()}
        added = {table: sorted(found - declared[table]) for table, found in self._fields.items()}
        return {table: fields for table, fields in added.items() if fields}

    def _good_rows(self, table: str, page: "Page") -> pa.Table:
        shape = self._shapes[table]
        batch = None if NUL in page.body else read_columns(shape, page.rows)
        if batch is None:
            batch = pa.Table.from_pylist(list(self._judge(table, page)), schema=shape.schema)
        return batch

    def _judge(self, table: str, page: "Page") -> Iterator[dict]:
        for number, (text, row) in enumerate(split_list(page.body), start=1):
            values, rule = self._shapes[table].judge(row)
            if rule is None:
                yield values
            else:
                reject = {"table": table, "file": page.request, "line_number": number, "rule": rule, "raw_text": text}
                self._rejects[table].append(reject)

    def _refuse_repeated(self, table: str, seen: SeenIds, batch: pa.Table) -> None:
        """Raise StepFailed when a key is repeated: rows moved between two pages, so another row was missed."""
        key = self._shapes[table].key
        if is_number := len(key) == 1 and pa.types.is_integer(batch.schema.field(key[0]).type):
            ids = batch[key[0]].to_numpy()
        else:
            ids = np.array([hash(tuple(row.values())) for row in batch.select(key).to_pylist()], dtype=np.int64)
        again: int | str | None = seen.add(ids)
        if again is not None:
            if not is_number:
                (row,) = batch.select(key).slice(int(np.argmax(ids == again)), 1).to_pylist()
                again = " ".join(map(str, row.values()))
            raise StepFailed(
                f"table {table}: {' and '.join(key)} {again} was sent twice; its rows moved while they were read"
            )


def _join(held: list[pa.Table]) -> pa.Table:
    """Return the held pages as one batch, and release them."""
    batch = pa.concat_tables(held).combine_chunks()
    held.clear()
    return batch
