"""Decode the rows of an Avro file, and validate them against the rules of the database's constraints."""

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, BinaryIO

import fastavro

from people_api.backups.container import read_blocks
from people_api.backups.limits import Budget, Damaged
from people_api.backups.schemas import SCHEMAS

_HIRED = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
# The errors that fastavro raises on bytes that don't match the schema.
_UNDECODABLE = (EOFError, IndexError, OverflowError, struct.error, TypeError, ValueError)


def read_rows(file: BinaryIO, table: str, rows: int, budget: Budget) -> Iterator[tuple[Any, ...]]:
    """Yield the rows, in the order of the schema's fields; raises Damaged at the first fault."""
    schema = SCHEMAS[table]
    parsed = fastavro.parse_schema(schema)
    rules = list(_DICTIONARY[table].items())
    number = 0
    for count, data in read_blocks(file, schema, rows, budget):
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


def _is_id(value: int) -> bool:
    return 0 < value < 2**31


def _is_bigint(value: int) -> bool:
    return -(2**63) <= value < 2**63


def _is_text(value: str) -> bool:
    """Return whether a text can be stored: Postgres accepts every character but NUL."""
    return "\0" not in value


def _are_texts(values: list[str]) -> bool:
    return all(map(_is_text, values))


def _is_hiring_date(value: datetime) -> bool:
    return _HIRED[0] <= value < _HIRED[1]


_DICTIONARY: dict[str, dict[str, Callable[[Any], bool]]] = {
    "departments": {"id": _is_id, "name": _is_text},
    "jobs": {"id": _is_id, "name": _is_text},
    "employees": {
        "id": _is_id,
        "name": _is_text,
        "hiring_date": _is_hiring_date,
        "department_id": _is_id,
        "job_id": _is_id,
    },
    "rejected_rows": {
        "id": _is_bigint,
        "table_name": _is_text,
        "source": _is_text,
        "row_number": _is_bigint,
        "payload": _is_text,
        "reasons": _are_texts,
    },
}
