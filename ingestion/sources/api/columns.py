"""Convert a page's rows to columns at once when every row is valid."""

from operator import itemgetter
from typing import Any

import pyarrow as pa

from ingestion.sources.api.shapes import Field, Shape, convert


def read_columns(shape: Shape, rows: list[Any]) -> pa.Table | None:
    """Return the same columns as `Shape.judge` on each row, None when a row may be invalid.

    Texts aren't checked: the caller knows that they can be stored.
    """
    if not set(map(type, rows)) <= {dict}:
        return None
    columns = []
    for field in shape.fields:
        values = _find(rows, field.path)
        column = None if values is None else _convert(field, values)
        if column is None:
            return None
        columns.append(column)
    return pa.table(columns, schema=shape.schema)


def _find(rows: list[Any], path: str) -> list[Any] | None:
    """Return the value at a path in each row, None when a parent isn't an object."""
    *objects, name = path.split(".")
    for part in objects:
        rows = [row.get(part) if row else None for row in rows]
        if not set(map(type, rows)) <= {dict, type(None)}:
            return None
    try:
        return list(map(itemgetter(name), rows))
    except (KeyError, TypeError):  # a missing field or a null object
        return [row.get(name) if row else None for row in rows]


def _convert(field: Field, values: list[Any]) -> pa.Array | None:
    if field.type == "number":
        sent, values = values, [None if value is None else convert(value, field.type) for value in values]
        if values.count(None) != sent.count(None):
            return None
    try:
        column = pa.array(values)  # inferred, because a declared type would convert some values
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return None
    if column.type == pa.null():
        column = column.cast(field.arrow_type)
    if column.type != field.arrow_type or (field.required and column.null_count):
        return None
    return column
