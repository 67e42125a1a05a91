"""Decode the rows of an Avro file, and validate them against the rules of the database's constraints."""

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, BinaryIO

import fastavro

from people_api.backups.container import read_blocks
from people_api.backups.limits import Damaged
from people_api.backups.schemas import SCHEMAS, TEXTS

_HIRED = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
# The errors that fastavro raises on bytes that don't match the schema.
_UNDECODABLE = (EOFError, IndexError, OverflowError, struct.error, TypeError, ValueError)


def read_rows(file: BinaryIO, table: str, rows: int, max_bytes: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows, in the order of the schema's fields; raises Damaged at the first fault."""
    schema = SCHEMAS[table]
    parsed = fastavro.parse_schema(schema)
    rules = _rules_of(schema)
    number = 0
    for count, data in read_blocks(file, schema, rows, max_bytes):
        block = BytesIO(data)
        for _ in range(count):
            number += 1
            try:
                row: Any = fastavro.schemaless_reader(block, parsed, None)
            except _UNDECODABLE as error:
                raise Damaged(f"row {number} can't be decoded") from error
            for name, holds in rules:
                if not holds(row[name]):
                    raise Damaged(f"row {number} breaks the data dictionary: {name}")
            yield tuple(row.values())
        if block.tell() != len(data):
            raise Damaged("a block has bytes that belong to no row")


def _rules_of(schema: dict[str, Any]) -> list[tuple[str, Callable[[Any], bool]]]:
    """Return each field's rule, if its name or its type has one."""
    rules = [
        (field["name"], _OF_NAMES.get(field["name"]) or _OF_TYPES.get(str(field["type"]))) for field in schema["fields"]
    ]
    return [(name, holds) for name, holds in rules if holds]


def _is_text(value: str) -> bool:
    """Return whether a text can be stored: Postgres accepts every character but NUL."""
    return "\0" not in value


_OF_NAMES: dict[str, Callable[[Any], bool]] = {"hiring_date": lambda value: _HIRED[0] <= value < _HIRED[1]}
_OF_TYPES: dict[str, Callable[[Any], bool]] = {
    "int": lambda value: 0 < value < 2**31,  # every int is an id
    "long": lambda value: -(2**63) <= value < 2**63,
    "string": _is_text,
    str(TEXTS): lambda values: all(map(_is_text, values)),
}
