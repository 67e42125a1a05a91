"""dlt's table of loads: what dlt writes when it has completed one, in plain SQL, because importing dlt takes half a second."""

import time
from collections.abc import Iterable
from typing import Any

from ingestion.sql import name_of


def record_load(cursor: Any, raw_schemas: Iterable[str]) -> None:
    """Add a row to each schema's `_dlt_loads`: dlt's kind of load id (the time), status 0 (complete), dlt's schema."""
    load_id = str(time.time())
    for schema in sorted(raw_schemas):
        cursor.execute(
            f"insert into {name_of(schema, '_dlt_loads')} (load_id, schema_name, status, inserted_at, schema_version_hash) "
            f"select $1::text, schema_name, 0, current_timestamp, version_hash from {name_of(schema, '_dlt_version')} "
            "order by inserted_at desc limit 1",
            [load_id],
        )
