"""Write the tables of one source into landing: Arrow batches become Parquet files, whose sums are compared."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from ingestion.digest import digest_files
from ingestion.errors import StepFailed
from ingestion.landing import Answer, Column, File, Landing, Manifest, Table, Totals
from ingestion.redact import one_line
from ingestion.sources import REJECT_SCHEMA, Reading, Source
from ingestion.totals import BatchTotals, DuckDBSql

# Called with a table, its row count so far, and whether it is complete.
OnRows = Callable[[str, int, bool], None]
# How many files are placed in landing at once: each waits for the disk, or for a bucket.
_AT_ONCE = 8


class Extraction:
    """One reading of tables of one source, into new files in one day's partitions, which its commit makes the day's."""

    manifest: Manifest
    read: dict[str, Table]  # the tables read now, without those kept from an earlier extract
    missing_fields: list[str]  # declared fields that no row has

    def __init__(self, source: Source, run_date: str, run_id: str, landing: Landing, work: Path):
        self._source = source
        self._run_date = run_date
        self._run_id = run_id
        self._landing = landing
        self._work = work
        self._replaces = landing.version(source.name, run_date)
        self._is_committed = False
        self._files: dict[str, File] = {}
        self._sums: dict[str, Totals] = {}
        self._others: list[File] = []  # of rejects and answers

    def commit(self) -> None:
        """Make the files that the manifest lists the source's day."""
        self._is_committed = True
        self._landing.commit(self.manifest, self._folders(self.manifest.source_tables), self._replaces)

    def discard(self) -> None:
        """Remove the placed files, which no manifest lists, unless they have been committed."""
        if not self._is_committed:
            self._landing.discard([*self._others, *self._files.values()])

    def land(self, schemas: dict[str, pa.Schema], reading: Reading, on_rows: OnRows) -> dict[str, Table]:
        """Read the tables and place their files; raises StepFailed when the number of rows read and landed differs."""
        self._folders(schemas)  # refuse an unfit table name before reading anything
        drafts = {table: self._work / f"table-{number}.parquet" for number, table in enumerate(schemas)}
        # One table after the other: they share one connection, and so one snapshot of the source.
        try:
            counts = {table: self._write(drafts[table], schemas[table], reading, table, on_rows) for table in schemas}
            with ThreadPoolExecutor(_AT_ONCE) as placing:
                list(placing.map(self._place, drafts, drafts.values(), counts.values()))
        except OSError as error:
            raise StepFailed(f"files can't be written: {one_line(error)}") from error
        return {table: self._describe(table, schemas[table], rows, reading) for table, rows in counts.items()}

    def land_rejects(self, tables: list[str], reading: Reading) -> list[File]:
        """Place the rejected rows, one file per table that has any."""
        day, placed = date.fromisoformat(self._run_date), []
        for table in tables:
            rejects = [reject | {"source": self._source.name, "run_date": day} for reject in reading.rejects(table)]
            if rejects:
                name = f"{table}-{self._run_id}.parquet"
                draft = self._work / name
                parquet.write_table(pa.Table.from_pylist(rejects, schema=REJECT_SCHEMA), draft)
                placed.append(self._landing.place(draft, self._rejects_folder(), name, len(rejects)))
                self._others.append(placed[-1])
        return placed

    def land_answers(self, tables: list[str], reading: Reading) -> list[Answer]:
        """Place the source's new answers in landing, and return all answers that the tables were read from."""

        def place(draft: Path, table: str, name: str) -> File:
            folder = self._answers_folder(table)
            file = self._landing.place(draft, folder, f"{self._run_id}-{name}", 0)
            self._others.append(file)
            return file

        return [answer for table in tables for answer in reading.land_answers(table, place)]

    def _folders(self, tables: Iterable[str]) -> list[str]:
        """Return every folder that holds this source's files for this day."""
        partitions = [self._landing.partition(self._source.area, table, self._run_date) for table in tables]
        return [*partitions, *map(self._answers_folder, tables), self._rejects_folder()]

    def _answers_folder(self, table: str) -> str:
        kind, *own = self._source.area.split("/")
        return self._landing.partition("/".join([kind, "_raw", *own]), table, self._run_date)

    def _rejects_folder(self) -> str:
        return self._landing.partition("_rejects", self._source.name, self._run_date)

    def _write(self, draft: Path, schema: pa.Schema, reading: Reading, table: str, on_rows: OnRows) -> int:
        """Write a table's rows into a file, which an empty table has too; return their number."""
        rows, control = 0, self._source.control_totals.get(table)
        sums = BatchTotals(control, schema) if control and not reading.is_summed else None
        with parquet.ParquetWriter(draft, schema) as writer:
            for batch in reading.read(table):
                _refuse_other_columns(table, schema, batch.schema)
                writer.write_table(batch)
                rows += batch.num_rows
                if sums:
                    sums.add(batch)
                on_rows(table, rows, False)
        on_rows(table, rows, True)
        self._sums[table] = sums.totals() if sums else Totals()
        return rows

    def _describe(self, table: str, schema: pa.Schema, rows: int, reading: Reading) -> Table:
        """Return what landed of a table, read back from landing: readers get the rows that are summed and hashed."""
        control = self._source.control_totals.get(table)
        with self._landing.local(self._source.name, self._run_date, [self._files[table]]) as paths:
            _refuse_other_columns(table, schema, parquet.read_schema(paths[0]))
            digest = digest_files(paths, schema.names, control.select(schema, DuckDBSql) if control else "null, null")
        summed = reading.totals(table) if reading.is_summed else self._sums[table]
        read, rejected = reading.count(table), len(reading.rejects(table))
        if not rows == digest.rows == read - rejected:
            raise StepFailed(
                f"table {table}: {read} rows were read, but {digest.rows} landed and {rejected} were rejected"
            )
        return Table(
            rows=rows,
            rejected_rows=rejected,
            columns=[Column(field.name, str(field.type)) for field in schema],
            files=[self._files[table]],
            content_hash=digest.content_hash,
            run_id=self._run_id,
            read_rows=read,
            totals=_agreeing(table, summed, Totals(*digest.figures)),
        )

    def _place(self, table: str, draft: Path, rows: int) -> None:
        folder = self._landing.partition(self._source.area, table, self._run_date)
        self._files[table] = self._landing.place(draft, folder, f"{self._run_id}.parquet", rows)


def _refuse_other_columns(table: str, schema: pa.Schema, found: pa.Schema) -> None:
    if not found.equals(schema):
        raise StepFailed(f"table {table} landed with other columns than the source has")


def _agreeing(table: str, source: Totals, landing: Totals) -> dict[str, Totals]:
    """Return both totals by stage; raises StepFailed when they differ."""
    for name in ("key", "amount"):
        read, landed = getattr(source, name), getattr(landing, name)
        if read != landed:
            raise StepFailed(f"table {table}: the {name} sum of what was read is {read}, of what landed {landed}")
    return {"source": source, "landing": landing}
