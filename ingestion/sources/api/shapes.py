"""The declared shape of an API's rows: typed fields, which become columns."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

_INTEGERS = range(-(2**63), 2**63)
_ABSENT = object()


@dataclass(frozen=True)
class Field:
    """A field by its path in the object (`address.geo.lat`); the column's name joins the path's parts with `_`.

    A `number` is float64, and may be sent as text. A row without a `required` field is rejected; others become NULL.
    """

    path: str
    type: str
    required: bool = False

    @cached_property
    def column(self) -> str:
        return self.path.replace(".", "_")

    @cached_property
    def arrow_type(self) -> pa.DataType:
        return {"integer": pa.int64(), "text": pa.string(), "boolean": pa.bool_(), "number": pa.float64()}[self.type]


@dataclass(frozen=True)
class Shape:
    """A resource's declared fields; the columns of its key are each an integer or a text."""

    fields: tuple[Field, ...]
    key: tuple[str, ...] = ("id",)

    @cached_property
    def schema(self) -> pa.Schema:
        """The landed columns."""
        return pa.schema([(field.column, field.arrow_type) for field in self.fields])

    @cached_property
    def objects(self) -> set[str]:
        """The paths of objects that hold declared fields."""
        parts = [field.path.split(".") for field in self.fields]
        return {".".join(path[:depth]) for path in parts for depth in range(1, len(path))}

    def judge(self, row: Any) -> tuple[dict[str, Any], str | None]:
        """Return a row's columns and the first rule that it breaks, None if it is valid."""
        if not isinstance(row, dict):
            return {}, "no object"
        values: dict[str, Any] = {}
        for field in self.fields:
            value = _find(row, field.path)
            if value is None or value is _ABSENT:
                if field.required:
                    return {}, f"{field.column} is missing"
                values[field.column] = None
                continue
            values[field.column] = value = convert(value, field.type)
            if value is None:
                return {}, f"{field.column} has the wrong type"
            if isinstance(value, str) and not _is_storable(value):
                return {}, f"{field.column} has a character that can't be stored"
        return values, None

    def fields_of(self, rows: list[Any], prefix: str = "") -> set[str]:
        """Return the paths of the rows' fields; fields inside an object only if the shape declares some there."""
        if not set(map(type, rows)) <= {dict}:
            rows = [row for row in rows if isinstance(row, dict)]
        found = set()
        for name in set().union(*rows):
            path = f"{prefix}{name}"
            if path in self.objects:
                found |= self.fields_of([row.get(name) for row in rows], f"{path}.")
            else:
                found.add(path)
        return found


def _find(row: dict, path: str) -> Any:
    """Return the value at a path: a missing or null object has no fields, any other value on the way is wrong."""
    value: Any = row
    for name in path.split("."):
        if value is None or value is _ABSENT:
            return _ABSENT
        if not isinstance(value, dict):
            return [value]  # no type accepts a list
        value = value.get(name, _ABSENT)
    return value


def convert(value: Any, type_: str) -> Any:
    """Return a value converted for its column, None when it has another type."""
    if type_ == "text":
        return value if isinstance(value, str) else None
    if type_ == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    if type_ == "integer":
        return value if isinstance(value, int) and value in _INTEGERS else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _is_storable(text: str) -> bool:
    """Return whether a text is valid Unicode without NUL: JSON can escape lone surrogates; Postgres refuses NUL."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text
