"""The Spark warehouse: Iceberg tables that Spark itself reads from landed Parquet; see spark_raw.py for raw.

There is no transaction over several tables. A load takes a day out of `raw_ops.landed_tables` first and puts it back
last, so that a day whose load was cut off isn't loaded.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from shutil import rmtree
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa

from ingestion.errors import Refused, StepFailed
from ingestion.session import READ_PARQUET, memory_setting, open_session
from ingestion.settings import Home
from ingestion.sources.selection import ALL_ROWS, Selection
from ingestion.sql import literal, name_of, quote
from ingestion.warehouse.interface import Warehouse
from ingestion.warehouse.spark_raw import Raw
from ingestion.warehouse.spark_session import (
    Cursor,
    errors_in_one_line,
    joined_session,
    running_session,
    session_settings,
)
from ingestion.warehouse.tables import (
    LANDED_TABLES,
    NO_REJECTS,
    OPS,
    OPS_TABLES,
    SOURCE_DAYS,
    Columns,
    RawTable,
    Rejects,
)

# Commits wait for files more than they compute.
_TABLES_AT_ONCE = 4
_BATCH_ROWS = 65_536
_CONTENT = LANDED_TABLES.names[: LANDED_TABLES.names.index("run_id")]


class SparkWarehouse(Warehouse):
    """The Iceberg catalog of TRADEWINDS_SPARK_CATALOG etc., else a folder of the home."""

    def __init__(self, home: Home):
        self._home = home

    def serving(self) -> AbstractContextManager[None]:
        return running_session(self._home)

    def join(self) -> None:
        joined_session()

    @contextmanager
    def _asking(self) -> Iterator[Cursor]:
        with errors_in_one_line():
            yield Cursor(joined_session())

    def _exists(self, cursor: Cursor, schema: str, table: str) -> bool:
        return bool(cursor.spark.catalog.tableExists(f"{schema}.{table}"))

    @contextmanager
    def _raw(self) -> Iterator[Raw]:
        with errors_in_one_line():
            raw = Raw(joined_session())
            for place, columns in OPS_TABLES.items():
                raw.ensure(*place, columns)
            yield raw

    def load_day(
        self, run_date: str, sources: list[str], tables: list[RawTable], rejects: Rejects = NO_REJECTS
    ) -> None:
        named = f"run_date = date'{run_date}' and source in ({', '.join(map(literal, sources))})"
        day = pa.Table.from_pylist([_landed(table, run_date) for table in tables], schema=LANDED_TABLES)
        with self._raw() as raw:
            raw.partition(OPS, "rejected_lines", "run_date", "source")
            landed, lines = name_of(OPS, "landed_tables"), name_of(OPS, "rejected_lines")
            before = raw.rows(f"select {', '.join(_CONTENT)} from {landed} where {named} order by source, table_name")
            after = day.select(_CONTENT).sort_by([("source", "ascending"), ("table_name", "ascending")])
            if before != [tuple(row.values()) for row in after.to_pylist()] and raw.has(OPS, "build_mark"):
                mark = name_of(OPS, "build_mark")
                raw.run(f"update {mark} set state = 'stale' where run_date >= date'{run_date}'")
            if before:
                raw.run(f"delete from {landed} where {named}")
            wanted = {(table.raw_schema, table.name) for table in tables}
            held = {(row[_CONTENT.index("raw_schema")], row[_CONTENT.index("table_name")]) for row in before}
            for place in held - wanted:
                raw.run(f"delete from {name_of(*place)} where _run_date = date'{run_date}'")
            with ThreadPoolExecutor(_TABLES_AT_ONCE, initializer=joined_session) as pool:
                list(pool.map(lambda table: raw.replace_day(table, run_date), tables))
            inserted = raw.replace_rejects(lines, named, rejects.files)
            if inserted != rejects.rows:
                raise StepFailed(f"{rejects.rows} rows were rejected, but {inserted} were loaded")
            raw.put(OPS, "landed_tables", day, ["run_date", "source", "table_name"])

    def unload_days(self, days: list[str], until: str, *, dry_run: bool = False) -> tuple[int, int]:
        listed = ", ".join(f"date'{day}'" for day in days)
        with self._raw() as raw:
            history = name_of(OPS, "history_days")
            if not raw.rows(f"select 1 from {history} where run_date = date'{until}'"):
                raise Refused(f"history doesn't reach {until}, because an older day was built")
            landed = name_of(OPS, "landed_tables")
            places = raw.rows(f"select distinct raw_schema, table_name from {landed}")
            counted = " union all ".join(
                f"select count(*), count(case when _run_date in ({listed}) then 1 end) from {name_of(*place)}"
                for place in places
            )
            before, gone = (sum(numbers) for numbers in zip(*raw.rows(counted), strict=True)) if places else (0, 0)
            if not dry_run:
                for name in ("landed_tables", "rejected_lines"):
                    raw.run(f"delete from {name_of(OPS, name)} where run_date in ({listed})")
                for place in places:
                    raw.run(f"delete from {name_of(*place)} where _run_date in ({listed})")
            return before, before - gone

    def record_steps(self, steps: pa.Table) -> None:
        with self._raw() as raw:
            raw.replace(OPS, "pipeline_steps", steps)

    def record_sources(self, days: pa.Table, tables: Columns) -> None:
        with self._raw() as raw:
            for place, columns in tables.items():
                raw.ensure(*place, columns, is_by_day=True)
            raw.ensure(OPS, "source_days", SOURCE_DAYS)
            raw.replace(OPS, "source_days", days)

    def refresh(self, relation: str, view: str) -> None:
        """A view is a table here, which keeps its query (macros/materialization_view_spark.sql)."""
        with self._raw() as raw:
            ((_, query),) = raw.rows(f"show tblproperties {name_of(*view.split('.'))} ('tradewinds.query')")
            columns = ", ".join(map(quote, raw.columns(*relation.split("."))))
            raw.run(f"insert overwrite {self.built_relation(relation)} select {columns} from ({query})")

    def space(self) -> dict[str, int]:
        with self._raw() as raw:
            places = [
                (schema, table)
                for (schema,) in raw.rows("show schemas")
                for _, table, _ in raw.rows(f"show tables in {quote(schema)}")
            ]
            sizes = " union all ".join(
                f"select {literal(schema)} as name, file_size_in_bytes as size from {name_of(schema, table)}.all_files"
                for schema, table in places
            )
            return dict(raw.rows(f"select name, sum(size) from ({sizes}) group by name"))

    @contextmanager
    def reading(self, relation: str, which: Selection = ALL_ROWS) -> Iterator[pa.RecordBatchReader]:
        with self._copied(relation, which) as files, open_session() as connection:
            yield connection.sql(f"select * from {READ_PARQUET}", params=[files]).to_arrow_reader(_BATCH_ROWS)

    @contextmanager
    def exporting(self, relation: str) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._copied(relation) as files, open_session(memory=memory_setting(2)) as connection:
            connection.execute(f"create table mart as select * from {READ_PARQUET}", [files])
            yield connection

    @contextmanager
    def _copied(self, relation: str, which: Selection = ALL_ROWS) -> Iterator[list[str]]:
        """Yield Parquet files with a mart's rows, as `reading` has them, which Spark has written below the home."""
        folder = self._home.work / f"spark-{uuid4().hex}"
        try:
            with errors_in_one_line():
                mart = joined_session().table(relation)
                columns = pa.schema([(name, pa.string()) for name in mart.columns])
                built = self.built_relation(relation)
                rows = joined_session().sql(f"select * from {built} where {which.condition}{which.ordered(columns)}")
                rows.write.parquet(str(folder))
            yield sorted(map(str, folder.glob("*.parquet")))
        finally:
            rmtree(folder, ignore_errors=True)

    def audit_url(self) -> str:
        from sqlalchemy.dialects import registry

        registry.register("tradewinds_spark", "ingestion.warehouse.spark_dialect", "SparkDialect")
        return "tradewinds_spark://"

    @property
    def namespace(self) -> tuple[str, str]:
        settings = session_settings(self._home)
        return settings["spark.sql.catalog.tradewinds.warehouse"], settings["spark.sql.defaultCatalog"]


def _landed(table: RawTable, run_date: str) -> dict[str, Any]:
    """Return a table's row in `landed_tables`."""
    from datetime import date

    values = table.landed_row(run_date)
    return dict(zip(LANDED_TABLES.names, [date.fromisoformat(run_date), *values[1:]], strict=True))
