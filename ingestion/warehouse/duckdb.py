"""The DuckDB warehouse: one file, whose raw tables dlt owns and whose rows DuckDB reads from the landed Parquet."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import duckdb
import pyarrow as pa
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.exceptions import DestinationException
from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_table
from dlt.destinations import duckdb as dlt_duckdb
from dlt.destinations.impl.duckdb.factory import DuckDbTypeMapper

from ingestion.errors import StepFailed
from ingestion.redact import one_line
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.sources.postgres_types import quote
from ingestion.warehouse.base import LANDED_TABLES, BuildMark, RawTable
from ingestion.warehouse.duckdb_types import common_type

_OPS = "raw_ops"
_SINGLE_PRECISION = 32
_BATCH_ROWS = 65_536


class _TypeMapper(DuckDbTypeMapper):
    """dlt's mapping, with single-precision floats kept single: their decimal text is exact only as such."""

    def to_destination_type(self, column: Any, table: Any) -> str:
        if column["data_type"] == "double" and column.get("precision") == _SINGLE_PRECISION:
            return "REAL"
        return super().to_destination_type(column, table)


class _DuckDB(dlt_duckdb):
    """dlt's DuckDB destination with source names and types kept as they are."""

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.type_mapper = _TypeMapper
        capabilities.naming_convention = "ingestion.naming"
        return capabilities


class DuckDBWarehouse:
    """`warehouse/tradewinds.duckdb` under the home; one process at a time may write it."""

    def __init__(self, home: Home):
        self.path = home.warehouse / "tradewinds.duckdb"

    def load_day(self, run_date: str, sources: list[str], tables: list[RawTable]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        by_schema: dict[str, dict[str, pa.Schema]] = {_OPS: {"landed_tables": LANDED_TABLES}}
        for table in tables:
            columns = table.schema.append(pa.field("_run_date", pa.date32()))
            by_schema.setdefault(table.raw_schema, {})[table.name] = columns
        with self._errors_in_one_line(), open_session(self.path) as connection:
            connection.execute("set preserve_insertion_order = false")
            # dlt works in a transaction of its own: a load that fails later leaves an empty table or column at most.
            for raw_schema, arrow_schemas in by_schema.items():
                _create_or_extend(connection, raw_schema, arrow_schemas)
            connection.execute("begin")
            before = _landed(connection, run_date, sources)
            for _, name, raw_schema, *_ in before:
                connection.execute(f"delete from {_name(raw_schema, name)} where _run_date = ?", [run_date])
            for table in tables:
                _widen(connection, table)
                _insert(connection, run_date, table)
            _record(connection, run_date, sources, tables)
            if _contents(before) != _contents(_landed(connection, run_date, sources)):
                _mark_stale(connection, run_date)
            connection.execute("commit")

    def loaded_runs(self, run_date: str) -> dict[str, str]:
        query = "select source, max(run_id) from {} where run_date = ? group by source"
        return dict(self._query("landed_tables", query, [run_date]))

    def build_mark(self) -> BuildMark | None:
        rows = self._query("build_mark", "select run_date::varchar, state from {}")
        return BuildMark(*rows[0]) if rows else None

    @contextmanager
    def reading(self, relation: str, order_by: list[str]) -> Iterator[pa.RecordBatchReader]:
        with self._errors_in_one_line(), open_session(self.path, read_only=True) as connection:
            columns = ", ".join(quote(column) for column in order_by)
            query = f"select * from {_name(*relation.split('.'))} order by {columns}"
            yield connection.sql(query).to_arrow_reader(_BATCH_ROWS)

    def release(self) -> None:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        # dbt keeps the file open until the process ends, and DuckDB opens a file only once a process.
        with suppress(Exception):  # there is none when dbt ended before it connected
            DuckDBConnectionManager.env().close()
        DuckDBConnectionManager.close_all_connections()

    def _query(self, table: str, query: str, parameters: list | None = None) -> list[tuple]:
        """Return the rows of a query on one `raw_ops` table, none when it doesn't exist yet."""
        if not self.path.exists():
            return []
        with self._errors_in_one_line(), open_session(self.path, read_only=True) as connection:
            if not _exists(connection, _OPS, table):
                return []
            return connection.execute(query.format(_name(_OPS, table)), parameters or []).fetchall()

    @contextmanager
    def _errors_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise StepFailed(f"the warehouse: {one_line(error)}") from error
            raise StepFailed(f"the warehouse {self.path} is in use by another process; wait for it to end") from error
        except (duckdb.Error, DestinationException) as error:
            raise StepFailed(f"the warehouse: {one_line(error)}") from error


def _create_or_extend(connection: duckdb.DuckDBPyConnection, raw_schema: str, tables: dict[str, pa.Schema]) -> None:
    """Have dlt create the tables that are missing and add the columns that are new; it never drops or changes one."""
    schema = Schema(raw_schema, normalizers={"names": "ingestion.naming"})
    for name, arrow_schema in tables.items():
        columns = py_arrow_to_table_schema_columns(arrow_schema)
        for field in arrow_schema:
            if field.type == pa.float32():
                columns[field.name]["precision"] = _SINGLE_PRECISION
        schema.update_table(new_table(name, columns=list(columns.values())))
    schema = Schema.from_dict(schema.to_dict())
    destination = _DuckDB(connection)
    configuration = destination.spec()._bind_dataset_name(dataset_name=raw_schema)
    with destination.client(schema, configuration) as client:
        client.initialize_storage()
        client.update_stored_schema(force=True)


def _widen(connection: duckdb.DuckDBPyConnection, table: RawTable) -> None:
    """Give a raw column whose source type has changed the type that holds both."""
    name = _name(table.raw_schema, table.name)
    # In lower case: `Name` that became `name` is the same column to DuckDB.
    held = {row[0].lower(): row[1] for row in connection.execute(f"describe {name}").fetchall()}
    paths = [str(path) for path in table.files]
    arriving = connection.execute(f"describe select * from {_PARQUET}", [paths]).fetchall()
    for column, type_, *_ in arriving:
        before = held[column.lower()]
        either = common_type(connection, before, type_)
        if either != before:
            connection.execute(f"alter table {name} alter column {quote(column)} type {either}")


_PARQUET = "read_parquet(?, union_by_name = true, hive_partitioning = false)"


def _insert(connection: duckdb.DuckDBPyConnection, run_date: str, table: RawTable) -> None:
    paths = [str(path) for path in table.files]
    (inserted,) = connection.execute(
        f"insert into {_name(table.raw_schema, table.name)} by name select *, ?::date as _run_date from {_PARQUET}",
        [run_date, paths],
    ).fetchone()
    if inserted != table.rows:
        raise StepFailed(f"table {table.name}: {table.rows} rows have landed, but {inserted} were loaded")


def _landed(connection: duckdb.DuckDBPyConnection, run_date: str, sources: list[str]) -> list[tuple]:
    """Return source, table_name, raw_schema, row_count, rejected_count, content_hash and run_id of what is loaded."""
    return connection.execute(
        "select source, table_name, raw_schema, row_count, rejected_count, content_hash, run_id "
        f"from {_name(_OPS, 'landed_tables')} "
        "where run_date = ? and list_contains(?, source) order by source, table_name",
        [run_date, sources],
    ).fetchall()


def _record(connection: duckdb.DuckDBPyConnection, run_date: str, sources: list[str], tables: list[RawTable]) -> None:
    """Write down which extract of each table is loaded now, in place of the sources' earlier rows of the day."""
    name = _name(_OPS, "landed_tables")
    connection.execute(f"delete from {name} where run_date = ? and list_contains(?, source)", [run_date, sources])
    for table in tables:
        connection.execute(
            f"insert into {name} (run_date, source, table_name, raw_schema, row_count, rejected_count, content_hash, "
            "run_id) values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                run_date,
                table.source,
                table.name,
                table.raw_schema,
                table.rows,
                table.rejected_rows,
                table.content_hash,
                table.run_id,
            ],
        )


def _contents(landed: list[tuple]) -> list[tuple]:
    """Return what `_landed` says of the rows, without the run that brought them."""
    return [row[:-1] for row in landed]


def _mark_stale(connection: duckdb.DuckDBPyConnection, run_date: str) -> None:
    """Say that marts of this day or a later one no longer match what is loaded."""
    if _exists(connection, _OPS, "build_mark"):
        connection.execute(
            f"update {_name(_OPS, 'build_mark')} set state = 'stale' where run_date >= ?",
            [run_date],
        )


def _exists(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    query = "select count(*) from information_schema.tables where table_schema = ? and table_name = ?"
    return connection.execute(query, [schema, table]).fetchone()[0] > 0


def _name(schema: str, table: str) -> str:
    return f"{quote(schema)}.{quote(table)}"
