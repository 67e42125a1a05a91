"""The statements by which a day's rows are replaced in Postgres, all on one cursor and in one transaction."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as parquet

from ingestion.adbc import one_ahead
from ingestion.errors import StepFailed
from ingestion.sources.postgres import PostgresReading
from ingestion.sql import name_of, quote
from ingestion.warehouse.base import LANDED_COLUMNS, OPS, RawTable, Rejects

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor
    from psycopg import RawCursor

BATCH_ROWS = 65_536


def widen(connection: "Connection", cursor: "Cursor", table: RawTable) -> pa.Schema:
    """Widen raw columns to hold changed source types; return the table's Arrow types."""
    held = PostgresReading(connection, table.raw_schema).schemas()[table.name]
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


def insert(cursor: "Cursor", table: RawTable, columns: pa.Schema, run_date: str) -> None:
    day = pa.scalar(run_date).cast(pa.date32())
    schema = columns.append(pa.field("_run_date", pa.date32()))

    def batches() -> Iterator[pa.RecordBatch]:
        for path in table.files:
            for batch in parquet.ParquetFile(path).iter_batches(BATCH_ROWS):
                arrays = [batch.column(name).cast(columns.field(name).type) for name in columns.names]
                yield pa.RecordBatch.from_arrays([*arrays, pa.repeat(day, batch.num_rows)], schema=schema)

    reader = pa.RecordBatchReader.from_batches(schema, one_ahead(batches()))
    inserted = cursor.adbc_ingest(table.name, reader, mode="append", db_schema_name=table.raw_schema)
    if inserted != table.rows:
        raise StepFailed(f"table {table.name}: {table.rows} rows have landed, but {inserted} were loaded")
    _index_days(cursor, table)


def _index_days(cursor: "Cursor", table: RawTable) -> None:
    """Create a block range index on the day: a day's rows lie together, so a few pages are enough."""
    name = f"{table.name}__run_date"
    cursor.execute(
        f"create index if not exists {quote(name)} on {name_of(table.raw_schema, table.name)} using brin (_run_date)"
    )
    cursor.execute("select brin_summarize_new_values(to_regclass($1))", [name_of(table.raw_schema, name)])


def insert_rejects(cursor: "Cursor", run_date: str, sources: list[str], rejects: Rejects) -> None:
    """Replace the sources' rejects of the day."""
    for source in sources:
        cursor.execute(
            f"delete from {name_of(OPS, 'rejected_lines')} where run_date = $1::text::date and source = $2",
            [run_date, source],
        )

    def batches() -> Iterator[pa.RecordBatch]:
        for path in rejects.files:
            for batch in parquet.ParquetFile(path).iter_batches(BATCH_ROWS):
                yield batch.rename_columns(["table_name" if name == "table" else name for name in batch.schema.names])

    if rejects.files:
        reader = pa.RecordBatchReader.from_batches(next(batches()).schema, batches())
        rejects.check(cursor.adbc_ingest("rejected_lines", reader, mode="append", db_schema_name=OPS))


def landed(cursor: "Cursor", run_date: str, sources: list[str]) -> list[tuple]:
    """Return the rows of `landed_tables` for the sources' day."""
    wanted = ", ".join(f"${position}" for position in range(2, len(sources) + 2))
    cursor.execute(
        f"select {LANDED_COLUMNS} from {name_of(OPS, 'landed_tables')} "
        f"where run_date = $1::text::date and source in ({wanted}) order by source, table_name",
        [run_date, *sources],
    )
    return cursor.fetchall()


def record(cursor: "Cursor", run_date: str, sources: list[str], tables: list[RawTable]) -> None:
    """Record which extract of each table is loaded, replacing the sources' earlier rows of the day."""
    name = name_of(OPS, "landed_tables")
    for source in sources:
        cursor.execute(f"delete from {name} where run_date = $1::text::date and source = $2", [run_date, source])
    for table in tables:
        values = table.landed_row(run_date)
        marks = ", ".join(f"${position}" for position in range(2, len(values) + 1))
        cursor.execute(f"insert into {name} ({LANDED_COLUMNS}) values ($1::text::date, {marks})", values)


def mark_stale(cursor: "Cursor", run_date: str) -> None:
    """Mark marts of this day or a later one as stale."""
    if exists(cursor, OPS, "build_mark"):
        # A build that begins now waits, so that its mark can't miss this load.
        cursor.execute(f"lock table {name_of(OPS, 'build_mark')} in share row exclusive mode")
        cursor.execute(
            f"update {name_of(OPS, 'build_mark')} set state = 'stale' where run_date >= $1::text::date", [run_date]
        )


def exists(cursor: "Cursor | RawCursor", schema: str, table: str) -> bool:
    query = "select count(*) from information_schema.tables where table_schema = $1 and table_name = $2"
    cursor.execute(query, [schema, table])
    return cursor.fetchall()[0][0] > 0
