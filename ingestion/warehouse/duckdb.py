"""The DuckDB warehouse: one file. dlt creates its raw tables; DuckDB reads their rows from landed Parquet."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from urllib.parse import quote as url_quote

import duckdb
import pyarrow as pa

from ingestion.digest import digest_rows
from ingestion.errors import StepFailed
from ingestion.landing.rows import has_places
from ingestion.redact import one_line
from ingestion.session import MEMORY_LIMIT, READ_PARQUET, memory_setting, open_session
from ingestion.settings import Home
from ingestion.sources.selection import ALL_ROWS, Selection
from ingestion.sql import literal, name_of, quote
from ingestion.warehouse.base import SqlWarehouse, are_there
from ingestion.warehouse.tables import NO_COLUMNS, NO_REJECTS, OPS, Columns, RawTable, Rejects
from ingestion.warehouse.versions import ON_DAY, adopt, file_id, stored, stored_columns, views

_BATCH_ROWS = 65_536
# Enough for most tables, and it keeps the memory of a load low at any number of rows.
_LOAD_MEMORY = "160MB"
# Types whose values a wider one of the same family holds exactly.
_INTEGER_DIGITS = {"BOOLEAN": 1, "TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}
_FLOATS = {"FLOAT", "DOUBLE"}
_MOMENTS = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}


class DuckDBWarehouse(SqlWarehouse):
    """The file `warehouse/tradewinds.duckdb` in the home; one process at a time may write it."""

    def __init__(self, home: Home):
        self.path = home.warehouse / "tradewinds.duckdb"
        self._pipelines = home.pipelines / "duckdb"
        self._memory = MEMORY_LIMIT

    def serving(self) -> AbstractContextManager[None]:
        return nullcontext()

    def load_day(
        self, run_date: str, sources: list[str], tables: list[RawTable], rejects: Rejects = NO_REJECTS
    ) -> None:
        self._memory = _LOAD_MEMORY
        try:
            super().load_day(run_date, sources, tables, rejects)
        except StepFailed as error:
            if not isinstance(error.__cause__, duckdb.OutOfMemoryException):  # very wide rows, or many threads
                raise
            self._memory = memory_setting()
            super().load_day(run_date, sources, tables, rejects)

    @contextmanager
    def _writing(self, ops: Columns, raw: Columns = NO_COLUMNS) -> Iterator[duckdb.DuckDBPyConnection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._errors_in_one_line(), open_session(self.path, memory=self._memory) as connection:
            connection.execute("set preserve_insertion_order = false")
            if adopting := adopt(connection, raw):
                connection.execute("; ".join(["begin", *adopting, "commit"]))
            wanted = ops | stored_columns(raw)
            if adopting or not are_there(connection, wanted):
                from ingestion.warehouse.dlt_tables import create_or_extend

                create_or_extend("duckdb", connection, wanted, self._pipelines)
            connection.execute("begin")
            yield connection
            for statement in views(connection, raw):
                connection.execute(statement)
            connection.execute("commit")

    @contextmanager
    def _asking(self) -> Iterator[duckdb.DuckDBPyConnection | None]:
        if not self.path.exists():
            yield None
            return
        with self._errors_in_one_line(), open_session(self.path, read_only=True) as connection:
            yield connection

    def _append(self, cursor: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
        cursor.execute(f"insert into {name_of(OPS, table)} by name select * from rows")

    def _widen(self, cursor: duckdb.DuckDBPyConnection, table: RawTable) -> None:
        name = name_of(*stored(table.raw_schema, table.name))
        # In lower case: `Name` and `name` are the same column in DuckDB.
        held = {row[0].lower(): row[1] for row in cursor.execute(f"describe {name}").fetchall()}
        paths = [str(path) for path in table.rows.files]
        for column, type_, *_ in cursor.execute(f"describe select * from {READ_PARQUET}", [paths]).fetchall():
            before = held[column.lower()]
            either = _common_type(cursor, before, type_)
            if either != before:
                cursor.execute(f"alter table {name} alter column {quote(column)} type {either}")

    def _offer(self, cursor: duckdb.DuckDBPyConnection, table: RawTable) -> dict[int, int]:
        cursor.execute("create or replace temp table gone (file bigint, pos bigint)")
        if not table.rows.removed:
            return {}
        files = "select unnest(?) as file_path, unnest(?) as file"
        query = f"insert into gone select file, pos from {READ_PARQUET} inner join ({files}) using (file_path)"
        names = table.rows.names
        cursor.execute(query, [list(map(str, table.rows.removed)), names, [file_id(name) for name in names]])
        return dict(cursor.execute("select file, count(*) from gone group by file").fetchall())

    def _insert(
        self, cursor: duckdb.DuckDBPyConnection, table: RawTable, place: int, run_date: str, until: str
    ) -> None:
        row = "landed.file_row_number" if has_places(table.schema.names) else "0"
        query = (
            f"insert into {name_of(*stored(table.raw_schema, table.name))} by name "
            f"select *, $2::bigint as _landed_file, {row} as _landed_row, $3::date as _valid_from, "
            f"$4::date as _valid_to from {READ_PARQUET.replace('?', '$1')} as landed "
            "where not exists (select 1 from gone where file = $2 and pos = landed.file_row_number)"
        )
        cursor.execute(query, [[str(table.rows.files[place])], file_id(table.rows.names[place]), run_date, until])

    def _holds(self, cursor: duckdb.DuckDBPyConnection, table: RawTable, run_date: str) -> bool:
        stored_rows = name_of(*stored(table.raw_schema, table.name))
        rows = f"(from {stored_rows} where {ON_DAY})"
        held = digest_rows(cursor, rows, table.schema.names, [run_date])
        return held.content_hash == table.landed.content_hash

    def _insert_rejects(self, cursor: duckdb.DuckDBPyConnection, files: list[Path]) -> int:
        selected = f'select * rename ("table" as table_name) from {READ_PARQUET}'
        query = f"insert into {name_of(OPS, 'rejected_lines')} by name {selected}"
        return cursor.execute(query, [list(map(str, files))]).fetchall()[0][0]

    def space(self) -> dict[str, int]:
        with self._asking() as cursor:
            if cursor is None:
                return {}
            cursor.execute("select schema_name, table_name from duckdb_tables() where not temporary")
            stored = " union all ".join(
                f"select {literal(schema)} as name, unnest([block_id] || additional_block_ids) as block "
                f"from pragma_storage_info({literal(name_of(schema, table))}) where persistent"
                for schema, table in cursor.fetchall()
            )
            cursor.execute("select block_size, free_blocks from pragma_database_size()")
            ((block_bytes, free),) = cursor.fetchall()
            # Small tables share a block.
            blocks = f"select block, min(name) as name from ({stored}) group by block"
            cursor.execute(f"select name, count(*) from ({blocks}) group by name")
            return {name: count * block_bytes for name, count in [*cursor.fetchall(), ("", free)]}

    @contextmanager
    def reading(self, relation: str, which: Selection = ALL_ROWS) -> Iterator[pa.RecordBatchReader]:
        with self._errors_in_one_line(), open_session(self.path, read_only=True) as connection:
            mart = name_of(*relation.split("."))
            columns = connection.sql(f"select * from {mart} limit 0").to_arrow_table().schema
            query = f"select * from {mart} where {which.condition}{which.ordered(columns)}"
            yield connection.sql(query).to_arrow_reader(_BATCH_ROWS)

    @contextmanager
    def exporting(self, relation: str) -> Iterator[duckdb.DuckDBPyConnection]:
        with open_session(memory=memory_setting(2)) as connection:
            with self._errors_in_one_line():
                connection.execute(f"attach {literal(str(self.path))} as warehouse (read_only)")
                connection.execute(f"create view mart as from warehouse.{name_of(*relation.split('.'))}")
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


def _common_type(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> str:
    """Return the type that DuckDB gives a union of both, VARCHAR where that would change values.

    DuckDB rounds a decimal in a union with a float or a wider decimal, and turns integers into dates.
    """
    if one == other:
        return one
    union = f"select null::{one} as either union all select null::{other}"
    either = connection.execute(f"describe {union}").fetchall()[0][1]
    for family in (_FLOATS, _MOMENTS):
        if {one, other} <= family:
            return either
    digits = [found for type_ in (one, other, either) if (found := _digits(type_))]
    if len(digits) < 3:
        return "VARCHAR"
    (*both, (before_point, after_point)) = digits
    fits = all(before <= before_point and after <= after_point for before, after in both)
    return either if fits else "VARCHAR"


def _digits(type_: str) -> tuple[int, int] | None:
    """Return an exact number's maximal digits before and after the point, None for another type."""
    if type_ in _INTEGER_DIGITS:
        return _INTEGER_DIGITS[type_], 0
    if size := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", type_):
        width, scale = map(int, size.groups())
        return width - scale, scale
    return None
