"""Parse JSON without correcting anything, so that the judge sees invalid rows as sent and can keep them."""

import json
import re
from typing import Any

from people_api.dictionary import LongNumber


class RepeatedField(dict):
    """An object that names a field twice, so that its value is ambiguous."""


_MAX_DIGITS = 20
_SPACE = re.compile(r"[ \t\n\r]*")


def read_json(body: bytes) -> tuple[Any, list[str]]:
    """Return a body's value and, for an array, the unchanged text of each item.

    NaN and lone surrogates pass, because only their own row is rejected later. Raises ValueError when the body isn't
    JSON in UTF-8 or is nested too deeply.
    """
    text = body.decode()
    start = _skip_space(text, 0)
    try:
        return _read_array(text, start) if text.startswith("[", start) else (_DECODER.decode(text), [])
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _read_array(text: str, start: int) -> tuple[list[Any], list[str]]:
    values, texts, at = [], [], _skip_space(text, start + 1)
    is_open = not text.startswith("]", at)
    while is_open:
        value, end = _DECODER.raw_decode(text, at)
        values.append(value)
        texts.append(text[at:end])
        at = _skip_space(text, end)
        is_open = text.startswith(",", at)
        at = _skip_space(text, at + 1) if is_open else at
    if not text.startswith("]", at) or _skip_space(text, at + 1) != len(text):
        raise ValueError(f"no array at character {at}")
    return values, texts


def _skip_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space, "it also matches nothing"
    return space.end()


def _read_integer(digits: str) -> int | LongNumber:
    return int(digits) if len(digits) <= _MAX_DIGITS else LongNumber()


def _read_number(text: str) -> float | int:
    """Return a number; 12.0 is the integer 12, because JSON has one kind of number (RFC 8259, 6)."""
    number = float(text)
    return int(number) if abs(number) < 2**53 and number.is_integer() else number


def _read_object(pairs: list[tuple[str, Any]]) -> dict:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else RepeatedField(fields)


_DECODER = json.JSONDecoder(parse_int=_read_integer, parse_float=_read_number, object_pairs_hook=_read_object)
