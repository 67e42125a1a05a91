"""Write the marts' values as JSON without loss: exact decimals, no NaN, times as stored."""

import json
import math
from collections.abc import Iterable
from decimal import Decimal


def write_object(columns: Iterable[str], values: Iterable[object]) -> str:
    """Return one JSON object on one line."""
    return (
        "{" + ", ".join(f"{_text(name)}: {to_json(value)}" for name, value in zip(columns, values, strict=True)) + "}"
    )


def to_json(value: object) -> str:
    """Return a value as JSON; a decimal keeps all digits, which a float would round."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    # JSON has no NaN or infinity (RFC 8259).
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else _text(str(value))
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else _text(str(value))
    if isinstance(value, dict):
        return write_object(map(str, value), value.values())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(to_json, value))}]"
    return _text(plain_text(value))


def plain_text(value: object) -> str:
    """Return a value as a cell's text: decimals without exponent, bytes as hexadecimal digits, NULL as empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return to_json(value)
    return str(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
