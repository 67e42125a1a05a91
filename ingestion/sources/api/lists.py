"""Parse an answer's body into rows: at once, or one by one if each row's text is needed."""

import json
import re
from typing import Any

import orjson
from requests import RequestException

# A row's text and its value.
Row = tuple[str, Any]
_BLANKS = re.compile(r"[ \t\n\r]*")


class UnfitAnswer(RequestException):
    """A complete answer that can't be used; a retry may help."""


def parse_list(body: bytes) -> list[Any]:
    """Return the rows of `split_list` without their texts, several times as fast."""
    try:
        rows = orjson.loads(body)
    except orjson.JSONDecodeError:  # it refuses byte order marks, lone surrogates and integers of thousands of digits
        return [row for _, row in split_list(body)]
    if not isinstance(rows, list):
        raise UnfitAnswer("its answer is no whole JSON list")
    return rows


def split_list(body: bytes) -> list[Row]:
    """Return the rows of a JSON list, each with its text; raises UnfitAnswer on anything else."""
    try:
        text = body.decode("utf-8-sig")
        place = _skip(text, 0)
        if text[place : place + 1] != "[":
            raise ValueError("no list")
        rows: list[Row] = []
        place = _skip(text, place + 1)
        while text[place : place + 1] != "]":
            if rows:
                if text[place : place + 1] != ",":
                    raise ValueError("no comma")
                place = _skip(text, place + 1)
            row, end = _DECODER.raw_decode(text, place)
            rows.append((text[place:end], row))
            place = _skip(text, end)
        if _skip(text, place + 1) != len(text):
            raise ValueError("more than a list")
    except (ValueError, RecursionError) as error:
        raise UnfitAnswer("its answer is no whole JSON list") from error
    return rows


def _skip(text: str, place: int) -> int:
    blanks = _BLANKS.match(text, place)
    assert blanks, "it also matches nothing"
    return blanks.end()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


# Python refuses integers of thousands of digits; as floats they only have the wrong type.
_DECODER = json.JSONDecoder(
    parse_int=lambda digits: int(digits) if len(digits) <= 20 else float(digits),
    parse_constant=_refuse_constant,
)
