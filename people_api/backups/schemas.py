"""The Avro schemas of the people tables, in Avro 1.12's types; a test compares them with models.py."""

from typing import Any

from ingestion.errors import BadRequest

_TIMESTAMP = {"type": "long", "logicalType": "timestamp-micros"}  # an instant: microseconds since 1970 in UTC
_UUID = {"type": "string", "logicalType": "uuid"}
_TEXTS = {"type": "array", "items": "string"}

# No field is nullable, as no column is.
SCHEMAS: dict[str, dict[str, Any]] = {
    "departments": {
        "type": "record",
        "name": "departments",
        "fields": [
            {"name": "id", "type": "int"},
            {"name": "name", "type": "string"},
            {"name": "is_active", "type": "boolean"},
        ],
    },
    "jobs": {
        "type": "record",
        "name": "jobs",
        "fields": [
            {"name": "id", "type": "int"},
            {"name": "name", "type": "string"},
            {"name": "is_active", "type": "boolean"},
        ],
    },
    "employees": {
        "type": "record",
        "name": "employees",
        "fields": [
            {"name": "id", "type": "int"},
            {"name": "name", "type": "string"},
            {"name": "hiring_date", "type": _TIMESTAMP},
            {"name": "department_id", "type": "int"},
            {"name": "job_id", "type": "int"},
            {"name": "is_active", "type": "boolean"},
        ],
    },
    "rejected_rows": {
        "type": "record",
        "name": "rejected_rows",
        "fields": [
            {"name": "id", "type": "long"},
            {"name": "batch_id", "type": _UUID},
            {"name": "table_name", "type": "string"},
            {"name": "source", "type": "string"},
            {"name": "row_number", "type": "long"},
            {"name": "payload", "type": "string"},
            {"name": "reasons", "type": _TEXTS},
            {"name": "rejected_at", "type": _TIMESTAMP},
        ],
    },
}
TABLES = tuple(SCHEMAS)  # in the order for restoring an empty database


def columns_of(table: str) -> list[str]:
    """Return the names of a table's columns, in the schema's order."""
    return [field["name"] for field in SCHEMAS[table]["fields"]]


def check_table(table: str) -> None:
    """Raise BadRequest, listing the valid names, when a table has no backups."""
    if table not in SCHEMAS:
        raise BadRequest(f"there are no backups of a table {table!r}; the tables are {', '.join(TABLES)}")
