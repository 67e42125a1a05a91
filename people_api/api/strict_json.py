"""JSON as it comes over the wire, with nothing smoothed over: what no row may be is seen by the judge, and kept."""

import json
from typing import Any


class LongNumber(str):
    """An integer with more digits than any id, as text: reading thousands of digits costs more than it says."""


class RepeatedField(dict):
    """An object that names a field twice; which of the two was meant nobody knows."""


_MAX_DIGITS = 20


def read_json(body: bytes) -> Any:
    """Return a body's value; NaN and half characters are let through, for the row that holds them is refused alone.

    Raises ValueError when it is no JSON in UTF-8, or nested too deeply.
    """
    try:
        return _DECODER.decode(body.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def write_json(value: Any) -> str:
    """Return a value as JSON text in ASCII, which a database keeps whatever it holds; raises ValueError like above."""
    try:
        return json.dumps(value)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _read_integer(digits: str) -> int | LongNumber:
    return int(digits) if len(digits) <= _MAX_DIGITS else LongNumber(digits)


def _read_number(text: str) -> float | int:
    """Return a number; 12.0 is the integer 12, for JSON has one kind of number (RFC 8259, 6)."""
    number = float(text)
    return int(number) if abs(number) < 2**53 and number.is_integer() else number


def _read_object(pairs: list[tuple[str, Any]]) -> dict:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else RepeatedField(fields)


_DECODER = json.JSONDecoder(parse_int=_read_integer, parse_float=_read_number, object_pairs_hook=_read_object)
