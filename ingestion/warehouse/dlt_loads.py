"""dlt's table of loads, written in plain SQL as dlt writes it: importing dlt takes half a second."""

from collections.abc import Iterable
from typing import Any

from ingestion.sql import name_of

_COLUMNS = "load_id, schema_name, status, inserted_at, schema_version_hash"


def record_load(cursor: Any, schemas: Iterable[str]) -> None:
    """Add a row to `_dlt_loads` of each schema: dlt's kind of load id (the time), status 0 (complete), dlt's schema."""
    for schema in sorted(schemas):
        loads, versions = name_of(schema, "_dlt_loads"), name_of(schema, "_dlt_version")
        load_id = "cast(extract(epoch from current_timestamp) as varchar)"
        row = f"select {load_id}, schema_name, 0, current_timestamp, version_hash from {versions}"
        cursor.execute(f"insert into {loads} ({_COLUMNS}) {row} order by inserted_at desc limit 1")
