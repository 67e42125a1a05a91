"""Raw as Iceberg tables: each loaded day whole, in a partition of its own (`_run_date`), replaced in one commit.

Days share no rows, unlike on the other engines: a replaced partition is one commit of Iceberg, and prune deletes files.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from ingestion.errors import StepFailed
from ingestion.landing.rows import REMOVED
from ingestion.sources.base import REJECT_SCHEMA
from ingestion.sql import name_of, quote
from ingestion.warehouse.tables import RawTable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# What is written at once is one partition, so rows needn't be sent to the task of their partition first.
_PARTITIONED = "partitioned by ({}) tblproperties ('write.distribution-mode' = 'none')"
_BY_DAY = _PARTITIONED.format("_run_date")
_INTEGERS = {"boolean": 1, "tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_FLOATS = {"float", "double"}
_MOMENTS = {"date", "timestamp_ntz", "timestamp"}
_OTHERS = {
    "bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "uint8": "smallint",
    "uint16": "int", "uint32": "bigint", "uint64": "decimal(20,0)", "float": "float", "double": "double",
    "date32[day]": "date", "binary": "binary", "large_binary": "binary",
}  # fmt: skip


class Raw:
    """The tables of raw, for one load."""

    def __init__(self, spark: "SparkSession"):
        self._spark = spark

    def run(self, statement: str) -> None:
        self._spark.sql(statement)

    def rows(self, query: str) -> list[tuple]:
        return [tuple(row) for row in self._spark.sql(query).collect()]

    def has(self, schema: str, table: str) -> bool:
        return bool(self._spark.catalog.tableExists(f"{schema}.{table}"))

    def columns(self, schema: str, table: str) -> dict[str, str]:
        """Return a table's columns and Spark's names of their types."""
        return dict(self._spark.table(name_of(schema, table)).dtypes)

    def ensure(self, schema: str, table: str, columns: pa.Schema, *, is_by_day: bool = False) -> None:
        """Create a table of the loader if it is missing, and add the columns that it lacks."""
        self._ensure(schema, table, {field.name: _type_of(field.type) for field in columns}, is_by_day)

    def partition(self, schema: str, table: str, *columns: str) -> None:
        """Partition a table by these columns, unless it is: then each of its files has one value of them."""
        name = name_of(schema, table)
        if "partition" not in self._spark.table(f"{name}.partitions").columns:
            by = _PARTITIONED.format(", ".join(columns))
            self.run(f"create or replace table {name} using iceberg {by} as select * from {name}")

    def _ensure(self, schema: str, table: str, columns: dict[str, str], is_by_day: bool) -> dict[str, str]:
        """Do so for columns with Spark's types; return those of the table."""
        if not self.has(schema, table):
            self.run(f"create schema if not exists {quote(schema)}")
            made = columns | ({"_run_date": "date"} if is_by_day else {})
            listed = ", ".join(f"`{name}` {_written(type_)}" for name, type_ in made.items())
            by = _BY_DAY if is_by_day else ""
            self.run(f"create table {name_of(schema, table)} ({listed}) using iceberg {by}")
            return made
        held = {name.lower(): (name, type_) for name, type_ in self.columns(schema, table).items()}
        for name, type_ in columns.items():
            if name.lower() not in held:
                where = " after " + quote(last) if is_by_day and (last := list(held.values())[-2][0]) else ""
                self.run(f"alter table {name_of(schema, table)} add column {quote(name)} {_written(type_)}{where}")
            elif (before := held[name.lower()][1]) != (either := common_type(before, type_)):
                self._retype(schema, table, held[name.lower()][0], before, either)
            else:
                continue
            return self._ensure(schema, table, columns, is_by_day)
        return dict(held.values())

    def _retype(self, schema: str, table: str, column: str, before: str, type_: str) -> None:
        """Widen a column, in place where Iceberg can."""
        name, quoted = name_of(schema, table), quote(column)
        if (before, type_) in (("int", "bigint"), ("float", "double")):
            self.run(f"alter table {name} alter column {quoted} type {type_}")
            return
        columns = [
            quote(held) if held != column else f"cast({quoted} as {_written(type_)}) as {quoted}"
            for held in self.columns(schema, table)
        ]
        self.run(f"create or replace table {name} using iceberg {_BY_DAY} as select {', '.join(columns)} from {name}")

    def replace_day(self, table: RawTable, run_date: str) -> None:
        """Replace a day's rows of a raw table by its landed rows in one commit; raise StepFailed if some are lost."""
        from pyspark.sql.functions import expr

        landed = self._landed_rows(table)
        place = table.raw_schema, table.name
        held = self._ensure(*place, dict(landed.dtypes), is_by_day=True)
        there = {name.lower(): quote(name) for name in landed.columns}
        selected = [
            f"cast({there.get(name.lower(), 'null')} as {_written(type_)}) as {quote(name)}"
            for name, type_ in held.items()
            if name != "_run_date"
        ]
        rows = landed.selectExpr(*selected, f"date'{run_date}' as _run_date")
        rows.writeTo(name_of(*place)).overwrite(expr(f"_run_date = date'{run_date}'"))
        if (inserted := self._added(*place)) != table.landed.rows:
            raise StepFailed(f"table {table.name}: {table.landed.rows} rows have landed, but {inserted} were loaded")

    def _added(self, schema: str, table: str) -> int:
        """Return the number of rows that a table's last commit has written."""
        iceberg = self._spark._jvm.org.apache.iceberg.spark.Spark3Util
        held = iceberg.loadIcebergTable(self._spark._jsparkSession, name_of(schema, table))
        return int(held.currentSnapshot().summary().get("added-records") or 0)

    def _landed_rows(self, table: RawTable) -> "DataFrame":
        """Return the rows of a table's files without the removed ones."""
        rows = self._read(table.rows.files, table.schema)
        if not table.rows.removed:
            return rows
        # A file's name has its extract's run id, so it is unique.
        gone = self._read(table.rows.removed, REMOVED).selectExpr(
            "element_at(split(file_path, '/'), -1) as _file", "pos as _row"
        )
        placed = rows.selectExpr("*", "_metadata.file_name as _file", "_metadata.row_index as _row")
        return placed.join(gone, ["_file", "_row"], "left_anti").select(*rows.columns)

    def _read(self, files: list[Path], columns: pa.Schema) -> "DataFrame":
        # Their folders are named like partitions, whose values aren't columns. Spark would read a schema in a job.
        reader = self._spark.read.option("recursiveFileLookup", "true").schema(_listed(columns))
        return reader.parquet(*(f"file://{path}" for path in files))

    def replace_rejects(self, lines: str, named: str, files: list[Path]) -> int:
        """Replace the rejects of a day's sources by those in these files, in one commit; return their number."""
        from pyspark.sql.functions import expr

        if not files:
            self.run(f"delete from {lines} where {named}")
            return 0
        rows = self._read(files, REJECT_SCHEMA).withColumnRenamed("table", "table_name")
        rows.writeTo(lines).overwrite(expr(named))
        return rows.count()

    def put(self, schema: str, table: str, rows: pa.Table, key: list[str]) -> None:
        """Insert a few rows, or update those with their key: two loads of a day at once leave each row once."""
        self._frame(schema, table, rows).createOrReplaceTempView("put_rows")
        same = " and ".join(f"held.{quote(column)} = put_rows.{quote(column)}" for column in key)
        self.run(
            f"merge into {name_of(schema, table)} as held using put_rows on {same}"
            " when matched then update set * when not matched then insert *"
        )

    def replace(self, schema: str, table: str, rows: pa.Table) -> None:
        """Replace all rows of a table by a few, in one commit."""
        from pyspark.sql.functions import lit

        self._frame(schema, table, rows).writeTo(name_of(schema, table)).overwrite(lit(True))

    def _frame(self, schema: str, table: str, rows: pa.Table) -> "DataFrame":
        columns = self._spark.table(name_of(schema, table)).select(*rows.column_names).schema
        return self._spark.createDataFrame([tuple(row.values()) for row in rows.to_pylist()], columns)


def _type_of(type_: pa.DataType) -> str:
    """Return Spark's name of an Arrow type; string for those that have none."""
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_timestamp(type_):
        return "timestamp" if type_.tz else "timestamp_ntz"
    return _OTHERS.get(str(type_), "string")


def _listed(columns: pa.Schema) -> str:
    return ", ".join(f"`{field.name}` {_written(_type_of(field.type))}" for field in columns)


def _written(type_: str) -> str:
    """Return a type as in SQL: `timestamp` alone would mean one without a time zone here."""
    return "timestamp_ltz" if type_ == "timestamp" else type_


def common_type(one: str, other: str) -> str:
    """Return a type that holds the values of both exactly, string if there is none."""
    if one == other:
        return one
    if {one, other} <= _FLOATS:
        return "double"
    if {one, other} <= _MOMENTS:
        return "timestamp" if "timestamp" in (one, other) else "timestamp_ntz"
    if {one, other} <= _INTEGERS.keys():
        return max({one, other, "int"}, key=_INTEGERS.__getitem__)
    digits = [found for type_ in (one, other) if (found := _digits(type_))]
    whole, scale = (max(sizes) for sizes in zip(*digits, strict=True)) if len(digits) == 2 else (39, 0)
    return f"decimal({whole + scale},{scale})" if whole + scale <= 38 else "string"


def _digits(type_: str) -> tuple[int, int] | None:
    """Return an exact number's maximal digits before and after the point, None for another type."""
    if type_ in _INTEGERS:
        return _INTEGERS[type_], 0
    if size := re.fullmatch(r"decimal\((\d+),(\d+)\)", type_):
        width, scale = map(int, size.groups())
        return width - scale, scale
    return None
