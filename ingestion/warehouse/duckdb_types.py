"""Find a DuckDB type that holds the values of two others exactly."""

import re

import duckdb

_INTEGER_DIGITS = {"BOOLEAN": 1, "TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}
_FLOATS = {"FLOAT", "DOUBLE"}
_MOMENTS = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}


def common_type(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> str:
    """Return the type that DuckDB gives a union of both, VARCHAR where that would change values.

    DuckDB rounds a decimal in a union with a float or a wider decimal, and turns integers into dates.
    """
    if one == other:
        return one
    union = f"select null::{one} as either union all select null::{other}"
    either = connection.execute(f"describe {union}").fetchall()[0][1]
    for family in (_FLOATS, _MOMENTS):
        if {one, other} <= family:
            return either
    digits = [found for type_ in (one, other, either) if (found := _digits(type_))]
    if len(digits) < 3:
        return "VARCHAR"
    (*both, (before_point, after_point)) = digits
    fits = all(before <= before_point and after <= after_point for before, after in both)
    return either if fits else "VARCHAR"


def _digits(type_: str) -> tuple[int, int] | None:
    """Return an exact number's maximal digits before and after the point, None for another type."""
    if type_ in _INTEGER_DIGITS:
        return _INTEGER_DIGITS[type_], 0
    if size := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", type_):
        width, scale = map(int, size.groups())
        return width - scale, scale
    return None
