"""Columns by the names of DuckDB's types, in which settings and the catalogue declare them, and as Arrow has them."""

import duckdb
import pyarrow as pa

from ingestion.errors import BadRequest
from ingestion.redact import one_line
from ingestion.session import open_scratch
from ingestion.sql import quote


def arrow_schema(table: str, columns: dict[str, str]) -> pa.Schema:
    """Return a table's columns as an Arrow schema; raises BadRequest on a type that DuckDB doesn't know."""
    selected = ", ".join(f"null::{type_} as {quote(name)}" for name, type_ in columns.items())
    with open_scratch() as connection:
        try:
            return connection.sql(f"select {selected} limit 0").to_arrow_table().schema
        except duckdb.Error as error:
            raise BadRequest(f"the columns of {table} can't be read: {one_line(error)}") from error


def duckdb_types(schema: pa.Schema) -> dict[str, str]:
    """Return the columns' types as DuckDB names them."""
    with open_scratch() as connection:
        found = connection.from_arrow(schema.empty_table())
        return dict(zip(found.columns, map(str, found.types), strict=True))
