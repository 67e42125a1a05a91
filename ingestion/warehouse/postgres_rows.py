"""Insert a landed partition into Postgres by binary COPY."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as parquet

from ingestion.adbc import one_ahead
from ingestion.sources.postgres import PostgresReading
from ingestion.sql import name_of, quote
from ingestion.warehouse.tables import OPS, RawTable

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Cursor

BATCH_ROWS = 65_536


def widen(cursor: "Cursor", table: RawTable) -> pa.Schema:
    """Widen raw columns to hold changed source types; return the table's Arrow types."""
    held = PostgresReading(cursor.connection, table.raw_schema).schemas()[table.name]
    fields = []
    for field in table.schema:
        before = held.field(field.name).type
        either = _common_type(before, field.type)
        if either != before:
            cursor.execute(
                f"alter table {name_of(table.raw_schema, table.name)} alter column {quote(field.name)} "
                f"type {_type_name(either)} using {quote(field.name)}::{_type_name(either)}"
            )
        fields.append(pa.field(field.name, either))
    return pa.schema(fields)


def _common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return a type that holds the values of both exactly, text where none does."""
    if one == other:
        return one
    for family in ([pa.int16(), pa.int32(), pa.int64()], [pa.float32(), pa.float64()]):
        if one in family and other in family:
            return family[max(family.index(one), family.index(other))]
    return pa.string()


def _type_name(type_: pa.DataType) -> str:
    names = {pa.int16(): "smallint", pa.int32(): "integer", pa.int64(): "bigint", pa.float64(): "double precision"}
    return names.get(type_, "varchar")


def insert(cursor: "Cursor", table: RawTable, columns: pa.Schema, run_date: str) -> int:
    """Insert a table's rows, cast to the raw table's types; return their number."""
    day = pa.scalar(run_date).cast(pa.date32())
    schema = columns.append(pa.field("_run_date", pa.date32()))

    def batches() -> Iterator[pa.RecordBatch]:
        for path in table.files:
            for batch in parquet.ParquetFile(path).iter_batches(BATCH_ROWS):
                arrays = [batch.column(name).cast(columns.field(name).type) for name in columns.names]
                yield pa.RecordBatch.from_arrays([*arrays, pa.repeat(day, batch.num_rows)], schema=schema)

    reader = pa.RecordBatchReader.from_batches(schema, one_ahead(batches()))
    inserted = cursor.adbc_ingest(table.name, reader, mode="append", db_schema_name=table.raw_schema)
    _index_days(cursor, table)
    return inserted


def _index_days(cursor: "Cursor", table: RawTable) -> None:
    """Create a block range index on the day: a day's rows lie together, so a few pages are enough."""
    name = f"{table.name}__run_date"
    cursor.execute(
        f"create index if not exists {quote(name)} on {name_of(table.raw_schema, table.name)} using brin (_run_date)"
    )
    cursor.execute("select brin_summarize_new_values(to_regclass($1))", [name_of(table.raw_schema, name)])


def insert_rejects(cursor: "Cursor", files: list[Path]) -> int:
    """Insert files with rejects, and return their number of rows."""

    def batches() -> Iterator[pa.RecordBatch]:
        for path in files:
            for batch in parquet.ParquetFile(path).iter_batches(BATCH_ROWS):
                yield batch.rename_columns({"table": "table_name"})

    reader = pa.RecordBatchReader.from_batches(next(batches()).schema, batches())
    return cursor.adbc_ingest("rejected_lines", reader, mode="append", db_schema_name=OPS)
