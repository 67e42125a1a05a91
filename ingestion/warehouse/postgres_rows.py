"""Insert a landed partition into Postgres by binary COPY."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from ingestion.adbc import one_ahead
from ingestion.landing.rows import REMOVED
from ingestion.sources.postgres import PostgresReading
from ingestion.sql import name_of, quote
from ingestion.warehouse.tables import OPS, RawTable
from ingestion.warehouse.versions import VERSION_COLUMNS, file_id, stored

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Cursor

BATCH_ROWS = 65_536


def widen(cursor: "Cursor", table: RawTable) -> None:
    """Widen the columns of a table's versions to hold changed source types."""
    held = _held_types(cursor, table)
    changes = {field.name: _common_type(held.field(field.name).type, field.type) for field in table.schema}
    changes = {name: either for name, either in changes.items() if either != held.field(name).type}
    if changes:  # which the views that read the columns forbid; dbt makes its own anew
        cursor.execute(f"drop view if exists {name_of(table.raw_schema, table.name)} cascade")
    for name, either in changes.items():
        cursor.execute(
            f"alter table {name_of(*stored(table.raw_schema, table.name))} alter column {quote(name)} "
            f"type {_type_name(either)} using {quote(name)}::{_type_name(either)}"
        )


def _held_types(cursor: "Cursor", table: RawTable) -> pa.Schema:
    raw_schema, name = stored(table.raw_schema, table.name)
    return PostgresReading(cursor.connection, raw_schema).schemas()[name]


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


def offer(cursor: "Cursor", table: RawTable) -> dict[int, int]:
    """Make the temp table `gone` of the rows that a table lacks of its files; return their numbers by file."""
    cursor.execute("create temp table if not exists gone (file bigint, pos bigint)")
    cursor.execute("truncate gone")
    for path in table.rows.removed:
        places = parquet.read_table(path, schema=REMOVED)
        listed = compute.is_in(places["file_path"], value_set=pa.array(table.rows.names))
        places = places.filter(listed)
        files = pa.array([file_id(name) for name in places["file_path"].to_pylist()], pa.int64())
        rows = pa.table({"file": files, "pos": places["pos"]})
        cursor.adbc_ingest("gone", rows, mode="append", temporary=True)
    cursor.execute("analyze gone")
    cursor.execute("select file, count(*) from gone group by file")
    return dict(cursor.fetchall())


def insert(cursor: "Cursor", table: RawTable, place: int, run_date: str, until: str) -> None:
    """Insert the rows of one of a table's files, without those in `gone`, cast to the stored types."""
    held, file = _held_types(cursor, table), file_id(table.rows.names[place])
    cursor.execute("select pos from gone where file = $1", [file])
    gone = cursor.fetch_arrow_table()["pos"]
    columns = [held.field(name) for name in table.schema.names]
    schema = pa.schema([*columns, *VERSION_COLUMNS])
    days = [pa.scalar(day).cast(pa.date32()) for day in (run_date, until)]

    def batches() -> Iterator[pa.RecordBatch]:
        begin = 0
        for batch in parquet.ParquetFile(table.rows.files[place]).iter_batches(BATCH_ROWS):
            count = batch.num_rows
            rows = pa.array(range(begin, begin + count), pa.int64())
            own = [pa.repeat(pa.scalar(file, pa.int64()), count), rows, *(pa.repeat(day, count) for day in days)]
            arrays = [batch.column(column.name).cast(column.type) for column in columns]
            made = pa.RecordBatch.from_arrays([*arrays, *own], schema=schema)
            yield made.filter(compute.invert(compute.is_in(rows, value_set=gone))) if len(gone) else made
            begin += count

    reader = pa.RecordBatchReader.from_batches(schema, one_ahead(batches()))
    raw_schema, name = stored(table.raw_schema, table.name)
    cursor.adbc_ingest(name, reader, mode="append", db_schema_name=raw_schema)


def insert_rejects(cursor: "Cursor", files: list[Path]) -> int:
    """Insert files with rejects, and return their number of rows."""

    def batches() -> Iterator[pa.RecordBatch]:
        for path in files:
            for batch in parquet.ParquetFile(path).iter_batches(BATCH_ROWS):
                yield batch.rename_columns({"table": "table_name"})

    reader = pa.RecordBatchReader.from_batches(next(batches()).schema, batches())
    return cursor.adbc_ingest("rejected_lines", reader, mode="append", db_schema_name=OPS)
