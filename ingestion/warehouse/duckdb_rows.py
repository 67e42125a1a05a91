"""The statements by which a day's rows are replaced in DuckDB, all on one connection and in one transaction."""

import duckdb

from ingestion.errors import StepFailed
from ingestion.sql import name_of, quote
from ingestion.warehouse.base import LANDED_COLUMNS, OPS, RawTable, Rejects
from ingestion.warehouse.duckdb_types import common_type

_PARQUET = "read_parquet(?, union_by_name = true, hive_partitioning = false)"


def widen(connection: duckdb.DuckDBPyConnection, table: RawTable) -> None:
    """Widen raw columns to hold a changed source type."""
    name = name_of(table.raw_schema, table.name)
    # In lower case: `Name` and `name` are the same column in DuckDB.
    held = {row[0].lower(): row[1] for row in connection.execute(f"describe {name}").fetchall()}
    paths = [str(path) for path in table.files]
    arriving = connection.execute(f"describe select * from {_PARQUET}", [paths]).fetchall()
    for column, type_, *_ in arriving:
        before = held[column.lower()]
        either = common_type(connection, before, type_)
        if either != before:
            connection.execute(f"alter table {name} alter column {quote(column)} type {either}")


def insert(connection: duckdb.DuckDBPyConnection, run_date: str, table: RawTable) -> None:
    paths = [str(path) for path in table.files]
    [(inserted,)] = connection.execute(
        f"insert into {name_of(table.raw_schema, table.name)} by name select *, ?::date as _run_date from {_PARQUET}",
        [run_date, paths],
    ).fetchall()
    if inserted != table.rows:
        raise StepFailed(f"table {table.name}: {table.rows} rows have landed, but {inserted} were loaded")


def insert_rejects(connection: duckdb.DuckDBPyConnection, run_date: str, sources: list[str], rejects: Rejects) -> None:
    """Replace the sources' rejects of the day."""
    name = name_of(OPS, "rejected_lines")
    connection.execute(f"delete from {name} where run_date = ? and list_contains(?, source)", [run_date, sources])
    if rejects.files:
        [(inserted,)] = connection.execute(
            f'insert into {name} by name select * rename ("table" as table_name) from {_PARQUET}',
            [[str(path) for path in rejects.files]],
        ).fetchall()
        rejects.check(inserted)


def landed(connection: duckdb.DuckDBPyConnection, run_date: str, sources: list[str]) -> list[tuple]:
    """Return the rows of `landed_tables` for the sources' day."""
    return connection.execute(
        f"select {LANDED_COLUMNS} from {name_of(OPS, 'landed_tables')} "
        "where run_date = ? and list_contains(?, source) order by source, table_name",
        [run_date, sources],
    ).fetchall()


def record(connection: duckdb.DuckDBPyConnection, run_date: str, sources: list[str], tables: list[RawTable]) -> None:
    """Record which extract of each table is loaded, replacing the sources' earlier rows of the day."""
    name = name_of(OPS, "landed_tables")
    connection.execute(f"delete from {name} where run_date = ? and list_contains(?, source)", [run_date, sources])
    for table in tables:
        values = table.landed_row(run_date)
        connection.execute(f"insert into {name} ({LANDED_COLUMNS}) values ({', '.join('?' * len(values))})", values)


def mark_stale(connection: duckdb.DuckDBPyConnection, run_date: str) -> None:
    """Mark marts of this day or a later one as stale."""
    if exists(connection, OPS, "build_mark"):
        connection.execute(
            f"update {name_of(OPS, 'build_mark')} set state = 'stale' where run_date >= ?",
            [run_date],
        )


def exists(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    query = "select count(*) from information_schema.tables where table_schema = ? and table_name = ?"
    return connection.execute(query, [schema, table]).fetchall()[0][0] > 0
