"""The Avro schemas of the people tables, in Avro 1.12's types; a test compares them with models.py."""

from typing import Any

from ingestion.errors import BadRequest

_TIMESTAMP = {"type": "long", "logicalType": "timestamp-micros"}  # an instant: microseconds since 1970 in UTC
_UUID = {"type": "string", "logicalType": "uuid"}
TEXTS = {"type": "array", "items": "string"}


def _record(table: str, /, **types: Any) -> dict[str, Any]:
    return {
        "type": "record",
        "name": table,
        "fields": [{"name": name, "type": type_} for name, type_ in types.items()],
    }


# No field is nullable, as no column is.
SCHEMAS: dict[str, dict[str, Any]] = {
    schema["name"]: schema
    for schema in (
        _record("departments", id="int", name="string", is_active="boolean"),
        _record("jobs", id="int", name="string", is_active="boolean"),
        _record(
            "employees",
            id="int",
            name="string",
            hiring_date=_TIMESTAMP,
            department_id="int",
            job_id="int",
            is_active="boolean",
        ),
        _record(
            "rejected_rows",
            id="long",
            batch_id=_UUID,
            table_name="string",
            source="string",
            row_number="long",
            payload="string",
            reasons=TEXTS,
            rejected_at=_TIMESTAMP,
        ),
    )
}
TABLES = tuple(SCHEMAS)  # in the order for restoring an empty database


def columns_of(table: str) -> list[str]:
    """Return the names of a table's columns, in the schema's order."""
    return [field["name"] for field in SCHEMAS[table]["fields"]]


def check_table(table: str) -> None:
    """Raise BadRequest, listing the valid names, when a table has no backups."""
    if table not in SCHEMAS:
        raise BadRequest(f"there are no backups of a table {table!r}; the tables are {', '.join(TABLES)}")
