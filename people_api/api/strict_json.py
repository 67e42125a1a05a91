"""Parse JSON without correcting anything, so that the judge sees invalid rows as sent and can keep them."""

import json
from typing import Any

from ingestion.json_arrays import split_array
from people_api.dictionary import read_integer
from people_api.judge import Unreadable


def read_json(body: bytes) -> tuple[Any, list[str]]:
    """Return a body's value and, for an array, the unchanged text of each item.

    NaN and lone surrogates pass, because only their own row is rejected later. Raises ValueError when the body isn't
    JSON in UTF-8 or is nested too deeply.
    """
    text = body.decode()
    try:
        return split_array(text, _DECODER) if text.lstrip().startswith("[") else (_DECODER.decode(text), [])
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _read_number(text: str) -> float | int:
    """Return a number; 12.0 is the integer 12, because JSON has one kind of number (RFC 8259, 6)."""
    number = float(text)
    return int(number) if abs(number) < 2**53 and number.is_integer() else number


def _read_object(pairs: list[tuple[str, Any]]) -> dict | Unreadable:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else Unreadable("row: names a field twice")


_DECODER = json.JSONDecoder(parse_int=read_integer, parse_float=_read_number, object_pairs_hook=_read_object)
