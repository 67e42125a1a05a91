"""Split the text of a JSON list into its items."""

import json
import re
from typing import Any

_BLANKS = re.compile(r"[ \t\n\r]*")


def split_items(text: str, decoder: json.JSONDecoder) -> list[tuple[str, Any]]:
    """Return the items of a JSON list, each with its unchanged text.

    Raises ValueError unless the text is one whole list, RecursionError when an item is nested too deeply.
    """
    place = _skip(text, 0)
    if not text.startswith("[", place):
        raise ValueError("no list")
    items, place = [], _skip(text, place + 1)
    is_open = not text.startswith("]", place)
    while is_open:
        value, end = decoder.raw_decode(text, place)
        items.append((text[place:end], value))
        place = _skip(text, end)
        is_open = text.startswith(",", place)
        place = _skip(text, place + 1) if is_open else place
    if not text.startswith("]", place) or _skip(text, place + 1) != len(text):
        raise ValueError(f"no whole list, at character {place}")
    return items


def _skip(text: str, place: int) -> int:
    return _BLANKS.match(text, place).end()
