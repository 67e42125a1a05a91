"""Published versions in Spark's Iceberg catalog: a version is a tag on every mart, and one row names the current one.

The tag marks the snapshot that was built and checked, so publishing copies no rows. `tradewinds.versions` is the
journal, `tradewinds.published` the row that readers follow: it changes last, in one commit.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ingestion.digest import Digest, digest_rows
from ingestion.session import open_scratch
from ingestion.sql import literal, name_of
from ingestion.warehouse.spark_session import joined_session
from pipeline.dbt.project import Mart
from pipeline.publishing.journal import Published

if TYPE_CHECKING:
    from pyiceberg.table import StaticTable
    from pyspark.sql import SparkSession

# With the catalog's name, because the namespace has the same one.
_CURRENT, _JOURNAL = "tradewinds.tradewinds.published", "tradewinds.tradewinds.versions"
_TAG = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{12}")
# Commits wait for files more than they compute.
_AT_ONCE = 4

# Versions with their marts' digests, oldest first.
Entries = list[tuple[Published, dict[str, Digest]]]


class Tables:
    """The marts' tables, and the tables that tell what is published."""

    def __init__(self, spark: "SparkSession"):
        self.spark = spark

    def row(self, query: str) -> tuple:
        return tuple(self.spark.sql(query).collect()[0])

    def snapshots(self, marts: list[str]) -> dict[str, int]:
        """Return the current snapshot of each built mart."""
        return {mart: self._held(mart).currentSnapshot().snapshotId() for mart in marts}

    def at(self, mart: str, tag: str) -> str:
        """Return SQL for a mart's rows in a version."""
        return f"{name_of(*Mart(mart).place)} version as of {literal(tag)}"

    def reading(self, mart: str, *, tag: str | None = None, snapshot: int | None = None) -> pa.RecordBatchReader:
        """Open a mart's rows in a version, or in a snapshot."""
        table = self._static(mart)
        return table.scan(snapshot_id=table.refs()[tag].snapshot_id if tag else snapshot).to_arrow_batch_reader()

    def digest(self, mart: str, **which: Any) -> Digest:
        """Digest a mart's rows in a version, or in a snapshot, with DuckDB, for the same result on every engine."""
        with open_scratch() as session:
            session.register("batches", self.reading(mart, **which))
            return digest_rows(session, "batches")

    def has(self, mart: str, tag: str) -> bool:
        return self.spark.catalog.tableExists(name_of(*Mart(mart).place)) and bool(self._held(mart).snapshot(tag))

    def entries(self) -> Entries:
        """Return the versions up to the current one; the journal, which changes first, may have one more."""
        if not self.spark.catalog.tableExists(_CURRENT):
            return []
        for table in (_CURRENT, _JOURNAL):  # another process may have published
            self.spark.sql(f"refresh table {table}")
        both = f"{_JOURNAL} as journal cross join {_CURRENT} as current"
        query = f"select journal.*, current.version from {both} order by position"
        found: Entries = []
        for _, *row, marts, current in self.spark.sql(query).collect():
            digests = {mart: Digest(*digest) for mart, digest in json.loads(marts).items()}
            found.append((Published(row[0], row[1], row[2], None, row[3]), digests))
            if row[1] == current:
                return found
        return []

    def write(self, entries: Entries) -> None:
        """Replace the journal."""
        columns = (
            "position int, run_date string, version string, content_hash string, published_at string, marts string"
        )
        rows = [
            (position, entry.run_date, entry.version, entry.content_hash, entry.published_at,
             json.dumps({mart: [digest.rows, digest.content_hash] for mart, digest in digests.items()}))
            for position, (entry, digests) in enumerate(entries)
        ]  # fmt: skip
        self._replace(_JOURNAL, columns, rows)

    def point_to(self, entry: Published) -> None:
        """Make this the version that readers see."""
        self._replace(_CURRENT, "version string, run_date string", [(entry.version, entry.run_date)])

    def _replace(self, table: str, columns: str, rows: list[tuple]) -> None:
        from pyspark.sql.functions import lit

        self.spark.sql("create namespace if not exists tradewinds.tradewinds")
        self.spark.sql(f"create table if not exists {table} ({columns}) using iceberg")
        self.spark.createDataFrame(rows, columns).coalesce(1).writeTo(table).overwrite(lit(True))

    def tag(self, snapshots: dict[str, int], tag: str) -> None:
        """Mark the marts' snapshots as a version's."""

        def mark(mart: str) -> None:
            held = self._held(mart)
            known, change = held.snapshot(tag), held.manageSnapshots()
            if known is None:
                change.createTag(tag, snapshots[mart]).commit()
            elif known.snapshotId() != snapshots[mart]:
                change.replaceTag(tag, snapshots[mart]).commit()

        with ThreadPoolExecutor(_AT_ONCE, initializer=joined_session) as pool:
            list(pool.map(mark, snapshots))

    def surplus(self, kept: list[str]) -> int:
        """Return the bytes of the files that no current table and no kept version has."""
        size = 0
        for mart in self._relations():
            table = self._static(mart)
            wanted = {ref.snapshot_id for name, ref in table.refs().items() if name in kept or not _TAG.fullmatch(name)}
            files: dict[bool, dict[str, int]] = {True: {}, False: {}}
            for snapshot in table.snapshots():
                for manifest in snapshot.manifests(table.io):
                    for entry in manifest.fetch_manifest_entry(table.io):
                        files[snapshot.snapshot_id in wanted][entry.data_file.file_path] = (
                            entry.data_file.file_size_in_bytes
                        )
            size += sum(bytes_ for file, bytes_ in files[False].items() if file not in files[True])
        return size

    def keep_only(self, kept: list[str]) -> None:
        """Drop other versions' tags, and all snapshots and files of the catalog's tables that nothing refers to."""
        now = self.spark._jvm.java.lang.System.currentTimeMillis()

        def expire(mart: str) -> None:
            held = self._held(mart)
            for name in [name for name in held.refs().keySet().toArray() if _TAG.fullmatch(name) and name not in kept]:
                held.manageSnapshots().removeTag(name).commit()
            held.expireSnapshots().expireOlderThan(now).commit()

        with ThreadPoolExecutor(_AT_ONCE, initializer=joined_session) as pool:
            list(pool.map(expire, self._relations()))

    def _relations(self) -> list[str]:
        schemas = [schema for (schema,) in self.spark.sql("show schemas in tradewinds").collect()]
        return [
            f"{schema}.{table}"
            for schema in schemas
            for _, table, _ in self.spark.sql(f"show tables in tradewinds.{schema}").collect()
        ]

    def _held(self, mart: str) -> Any:
        """Return Iceberg's table of a mart, with what other processes have written."""
        iceberg = self.spark._jvm.org.apache.iceberg.spark.Spark3Util
        held = iceberg.loadIcebergTable(self.spark._jsparkSession, f"tradewinds.{name_of(*Mart(mart).place)}")
        held.refresh()
        return held

    def _static(self, mart: str) -> "StaticTable":
        from pyiceberg.table import StaticTable

        return StaticTable.from_metadata(self._held(mart).operations().current().metadataFileLocation())
