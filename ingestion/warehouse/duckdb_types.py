"""Which DuckDB type holds the values of two others to the last digit."""

import re

import duckdb

_INTEGER_DIGITS = {"BOOLEAN": 1, "TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}
_FLOATS = {"FLOAT", "DOUBLE"}
_MOMENTS = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}


def common_type(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> str:
    """Return the type DuckDB gives a union of the two, VARCHAR where values would not survive that.

    DuckDB rounds a decimal beside a float or a wider decimal, and makes a date of an integer.
    """
    if one == other:
        return one
    union = f"select null::{one} as either union all select null::{other}"
    either = connection.execute(f"describe {union}").fetchone()[1]
    for family in (_FLOATS, _MOMENTS):
        if {one, other} <= family:
            return either
    digits = [_digits(type_) for type_ in (one, other, either)]
    if None in digits:
        return "VARCHAR"
    (*both, (before_point, after_point)) = digits
    fits = all(before <= before_point and after <= after_point for before, after in both)
    return either if fits else "VARCHAR"


def _digits(type_: str) -> tuple[int, int] | None:
    """Return how many digits an exact number may have before and after the point, None for another type."""
    if type_ in _INTEGER_DIGITS:
        return _INTEGER_DIGITS[type_], 0
    if size := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", type_):
        width, scale = map(int, size.groups())
        return width - scale, scale
    return None
