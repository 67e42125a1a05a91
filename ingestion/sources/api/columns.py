"""A page's rows as columns, all at once where every row is good."""

from operator import itemgetter
from typing import Any

import pyarrow as pa

from ingestion.sources.api.shapes import Field, Shape, convert


def read_columns(shape: Shape, rows: list[Any]) -> pa.Table | None:
    """Return what `Shape.judge` makes of the rows one by one, None when one of them may be no good one.

    Texts aren't looked through: the caller knows that they can be stored.
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


def _find(rows: list[dict], path: str) -> list[Any] | None:
    """Return what is at a path in each row, None when there is something else than an object on the way."""
    *objects, name = path.split(".")
    for part in objects:
        rows = [row.get(part) if row else None for row in rows]
        if not set(map(type, rows)) <= {dict, type(None)}:
            return None
    try:
        return list(map(itemgetter(name), rows))
    except (KeyError, TypeError):  # a field that is missing, an object that is null
        return [row.get(name) if row else None for row in rows]


def _convert(field: Field, values: list[Any]) -> pa.Array | None:
    if field.type == "number":
        sent, values = values, [None if value is None else convert(value, field.type) for value in values]
        if values.count(None) != sent.count(None):
            return None
    try:
        column = pa.array(values)  # of the type that all of them have: a declared one would change some to fit
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return None
    if column.type == pa.null():
        column = column.cast(field.arrow_type)
    if column.type != field.arrow_type or (field.required and column.null_count):
        return None
    return column
