"""Split a JSON array into its values and their texts, which are kept of those that are refused."""

import re
from json import JSONDecoder
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")


def split_array(text: str, decoder: JSONDecoder) -> tuple[list[Any], list[str]]:
    """Return an array's values and the unchanged text of each.

    Raises ValueError when the text isn't an array, or more than one, RecursionError when it is nested too deeply.
    """
    values, texts, at = [], [], _skip_space(text, 0)
    if not text.startswith("[", at):
        raise ValueError("no array")
    at = _skip_space(text, at + 1)
    is_open = not text.startswith("]", at)
    while is_open:
        value, end = decoder.raw_decode(text, at)
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
