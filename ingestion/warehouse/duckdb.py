"""The DuckDB warehouse: one file. dlt creates its raw tables; DuckDB reads their rows from landed Parquet."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from urllib.parse import quote as url_quote

import duckdb
import pyarrow as pa

from ingestion.errors import StepFailed
from ingestion.redact import one_line
from ingestion.session import MEMORY_LIMIT, memory_setting, open_session
from ingestion.settings import Home
from ingestion.sources.row_order import order_clause
from ingestion.sql import name_of
from ingestion.warehouse.base import (
    NO_REJECTS,
    OPS,
    BuildMark,
    RawTable,
    Rejects,
    are_there,
    contents,
    source_days_columns,
    wanted_columns,
)
from ingestion.warehouse.duckdb_rows import (
    exists,
    insert,
    insert_rejects,
    landed,
    mark_stale,
    record,
    widen,
)

_BATCH_ROWS = 65_536
# Enough for most tables, and it keeps the memory of a load low at any number of rows.
_LOAD_MEMORY = "160MB"


class DuckDBWarehouse:
    """The file `warehouse/tradewinds.duckdb` in the home; one process at a time may write it."""

    def __init__(self, home: Home):
        self.path = home.warehouse / "tradewinds.duckdb"

    def serving(self) -> AbstractContextManager[None]:
        return nullcontext()

    def load_day(
        self, run_date: str, sources: list[str], tables: list[RawTable], rejects: Rejects = NO_REJECTS
    ) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._errors_in_one_line():
            try:
                self._load_day(run_date, sources, tables, rejects, _LOAD_MEMORY)
            except duckdb.OutOfMemoryException:  # very wide rows, or many threads
                self._load_day(run_date, sources, tables, rejects, memory_setting())

    def _load_day(
        self, run_date: str, sources: list[str], tables: list[RawTable], rejects: Rejects, memory: str
    ) -> None:
        with open_session(self.path, memory=memory) as connection:
            connection.execute("set preserve_insertion_order = false")
            _create_or_extend(connection, wanted_columns(tables))
            connection.execute("begin")
            before = landed(connection, run_date, sources)
            for _, _, name, raw_schema, *_ in before:
                connection.execute(f"delete from {name_of(raw_schema, name)} where _run_date = ?", [run_date])
            for table in tables:
                widen(connection, table)
                insert(connection, run_date, table)
            insert_rejects(connection, run_date, sources, rejects)
            record(connection, run_date, sources, tables)
            if contents(before) != contents(landed(connection, run_date, sources)):
                mark_stale(connection, run_date)
            connection.execute("commit")

    def record_steps(self, steps: pa.Table) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        name = name_of(OPS, "pipeline_steps")
        with self._errors_in_one_line(), open_session(self.path) as connection:
            _create_or_extend(connection, wanted_columns([]))
            connection.execute("begin")
            connection.execute(f"delete from {name}")
            connection.execute(f"insert into {name} by name select * from steps")
            connection.execute("commit")

    def refresh(self, relation: str, view: str) -> None:
        mart, source = (name_of(*name.split(".")) for name in (relation, view))
        with self._errors_in_one_line(), open_session(self.path) as connection:
            connection.execute("begin")
            connection.execute(f"delete from {mart}")
            connection.execute(f"insert into {mart} by name from {source}")
            connection.execute("commit")

    def record_sources(self, days: pa.Table, tables: dict[tuple[str, str], pa.Schema]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        name = name_of(OPS, "source_days")
        with self._errors_in_one_line(), open_session(self.path) as connection:
            _create_or_extend(connection, source_days_columns(tables))
            connection.execute("begin")
            connection.execute(f"delete from {name}")
            connection.execute(f"insert into {name} by name select * from days")
            connection.execute("commit")

    def loaded_runs(self, run_date: str) -> dict[str, str]:
        query = (
            "select source, string_agg(distinct run_id, ',' order by run_id) from {} where run_date = ? group by source"
        )
        return dict(self._query("landed_tables", query, [run_date]))

    def history_days(self) -> list[str]:
        query = "select run_date::varchar from {} order by run_date"
        return [day for (day,) in self._query("history_days", query)]

    def build_mark(self) -> BuildMark | None:
        rows = self._query("build_mark", "select run_date::varchar, state, invocation_id from {}")
        return BuildMark(*rows[0]) if rows else None

    def has(self, relation: str) -> bool:
        if not self.path.exists():
            return False
        with self._errors_in_one_line(), open_session(self.path, read_only=True) as connection:
            return exists(connection, *relation.split("."))

    @contextmanager
    def reading(self, relation: str, order_by: list[str]) -> Iterator[pa.RecordBatchReader]:
        with self._errors_in_one_line(), open_session(self.path, read_only=True) as connection:
            yield connection.sql(_ordered(connection, relation, order_by)).to_arrow_reader(_BATCH_ROWS)

    @contextmanager
    def sorting(self, relation: str, order_by: list[str]) -> Iterator[duckdb.DuckDBPyConnection]:
        with ExitStack() as held:
            with self._errors_in_one_line():
                session = open_session(self.path, read_only=True, memory=memory_setting())
                connection = held.enter_context(session)
                connection.execute(f"create temp table sorted_mart as {_ordered(connection, relation, order_by)}")
            yield connection

    def audit_url(self) -> str:
        from sqlalchemy.dialects import registry

        from ingestion.warehouse.duckdb_dialect import PATH

        registry.register("duckdb", "ingestion.warehouse.duckdb_dialect", "ReadOnlyDuckDB")
        # As a parameter, the path may have any name: # and & stay, and Great Expectations leaves a $ alone.
        path = url_quote(str(self.path), safe="")
        return f"duckdb:///warehouse?{PATH}={path}&access_mode=read_only&memory_limit={MEMORY_LIMIT}"

    @property
    def namespace(self) -> tuple[str, str]:
        return f"duckdb://{self.path}", self.path.stem

    def built_relation(self, relation: str) -> str:
        return name_of(*relation.split("."))

    def release(self) -> None:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        # dbt keeps the file open until the process ends, and a process can open a DuckDB file only once.
        with suppress(Exception):  # there is none if dbt ended before it connected
            DuckDBConnectionManager.env().close()
        DuckDBConnectionManager.close_all_connections()

    def _query(self, table: str, query: str, parameters: list | None = None) -> list[tuple]:
        """Return the rows of a query on one `raw_ops` table, none if it doesn't exist yet."""
        if not self.path.exists():
            return []
        with self._errors_in_one_line(), open_session(self.path, read_only=True) as connection:
            if not exists(connection, OPS, table):
                return []
            return connection.execute(query.format(name_of(OPS, table)), parameters or []).fetchall()

    @contextmanager
    def _errors_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise StepFailed(f"the warehouse: {one_line(error)}") from error
            raise StepFailed(f"the warehouse {self.path} is in use by another process; wait for it to end") from error
        except duckdb.Error as error:
            raise StepFailed(f"the warehouse: {one_line(error)}") from error


def _create_or_extend(connection: duckdb.DuckDBPyConnection, wanted: dict[tuple[str, str], pa.Schema]) -> None:
    query = "select schema_name, table_name, column_name from duckdb_columns() where starts_with(schema_name, 'raw_')"
    if not are_there(wanted, connection.execute(query).fetchall()):
        from ingestion.warehouse.dlt_tables import create_or_extend

        create_or_extend("duckdb", connection, wanted)


def _ordered(connection: duckdb.DuckDBPyConnection, relation: str, order_by: list[str]) -> str:
    mart = name_of(*relation.split("."))
    columns = connection.sql(f"select * from {mart} limit 0").to_arrow_table().schema
    return f"select * from {mart}{order_clause(order_by, columns)}"
