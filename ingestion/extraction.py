"""Write the tables of one source into landing: Arrow batches become Parquet files, whose sums are compared."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet

from ingestion.changes import Change
from ingestion.digest import Digest, is_comparable
from ingestion.errors import StepFailed
from ingestion.landing import Answer, Column, Damaged, File, LandedFile, Landing, Manifest, Rows, Table, Totals
from ingestion.redact import one_line
from ingestion.rejects import read_rejects
from ingestion.sharing import Content, compared, merged, unchanged, whole
from ingestion.sources import REJECT_SCHEMA, Reading, Source
from ingestion.totals import BatchTotals, DuckDBSql, add_totals

# Called with a table, its row count so far, and whether it is complete.
OnRows = Callable[[str, int, bool], None]
# The earlier rows are damaged, or too wide to be compared in little memory: the table is read or written whole.
_GIVE_UP = (Damaged, duckdb.OutOfMemoryException)
# How many files are placed in landing at once: each waits for the disk, or for a bucket.
_AT_ONCE = 8


class Extraction:
    """One reading of tables of one source, into new files in one day's partitions, which its commit makes the day's.

    A table that hasn't changed since the earlier day lists its files again. Of one that has, only the changed rows are
    written, if they are few.
    """

    manifest: Manifest
    read: dict[str, Table]  # the tables read now, without those kept from an earlier extract
    missing_fields: list[str]  # declared fields that no row has
    earlier: Manifest | None = None  # the landed day whose files may be listed again

    def __init__(self, source: Source, run_date: str, run_id: str, landing: Landing, work: Path):
        self._source = source
        self._run_date = run_date
        self._run_id = run_id
        self._landing = landing
        self._work = work
        self._replaces = landing.version(source.name, run_date)
        self._is_committed = False
        self._placed: list[LandedFile] = []
        self._sums: dict[str, Totals] = {}
        self.warnings: list[str] = []

    def commit(self) -> None:
        """Make the files that the manifest lists the source's day."""
        self._is_committed = True
        self._landing.commit(self.manifest, self._folders(self.manifest.source_tables), self._replaces)

    def discard(self) -> None:
        """Remove the placed files, which no manifest lists, unless they have been committed."""
        if not self._is_committed:
            self._landing.discard(self._placed)

    def land(self, schemas: dict[str, pa.Schema], reading: Reading, on_rows: OnRows) -> dict[str, Table]:
        """Read the tables and place their files; raises StepFailed when the number of rows read and landed differs."""
        self._folders(schemas)  # refuse an unfit table name before reading anything
        drafts = {table: self._work / f"table-{number}.parquet" for number, table in enumerate(schemas)}
        # One table after the other: they share one connection, and so one snapshot of the source.
        try:
            tables = {table: self._read(drafts[table], schemas[table], reading, table, on_rows) for table in schemas}
            with ThreadPoolExecutor(_AT_ONCE) as placing:
                return dict(zip(tables, placing.map(self._place, tables, tables.values()), strict=True))
        except OSError as error:
            raise StepFailed(f"files can't be written: {one_line(error)}") from error

    def land_rejects(self, tables: list[str], reading: Reading) -> list[File]:
        """Place the rejected rows, one file per table that has any."""
        day, placed = date.fromisoformat(self._run_date), []
        for table in tables:
            own = {"source": self._source.name, "run_date": day}
            rejects = [reject | own for reject in self._rejects(table, reading)]
            if rejects:
                name = f"{table}-{self._run_id}.parquet"
                draft = self._work / name
                parquet.write_table(pa.Table.from_pylist(rejects, schema=REJECT_SCHEMA), draft)
                placed.append(self._landing.place(draft, self._rejects_folder(), name, len(rejects)))
                self._placed.append(placed[-1])
        return placed

    def land_answers(self, tables: list[str], reading: Reading) -> list[Answer]:
        """Place the source's new answers in landing, and return all answers that the tables were read from."""

        def place(draft: Path, table: str, name: str) -> File:
            folder = self._answers_folder(table)
            file = self._landing.place(draft, folder, f"{self._run_id}-{name}", 0)
            self._placed.append(file)
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

    def _rejects(self, table: str, reading: Reading) -> list[dict]:
        """Return a table's rejected rows, with the earlier day's if only new rows were read."""
        rejects, increment = reading.rejects(table), reading.increment(table)
        if increment is None or increment.file is None:
            return rejects
        earlier = [reject | {"file": increment.file} for reject in self._earlier_rejects if reject["table"] == table]
        return earlier + rejects

    @cached_property
    def _earlier_rejects(self) -> list[dict]:
        return read_rejects(self._landing, self.earlier).to_pylist() if self.earlier else []

    def _read(
        self, draft: Path, schema: pa.Schema, reading: Reading, table: str, on_rows: OnRows
    ) -> tuple[Table, Change]:
        """Read a table, and describe it as it will land; raises StepFailed when it isn't what the source counted."""
        self._write(draft, schema, reading.read(table), reading, table, on_rows)
        control = self._source.control_totals.get(table)
        figures = control.select(schema, DuckDBSql) if control else "null, null"
        content, found = None, None
        if increment := reading.increment(table):
            if content := self._merged(table, draft, schema, figures, increment.key):
                found = self._differences(table, reading, content.digest)
            if found or not content:
                self.warnings.append(f"table {table} was read whole: {found or 'its earlier rows are not there'}")
                self._write(draft, schema, reading.read_whole(table), reading, table, on_rows)
                content = None
        if content is None:
            digest = Rows([draft]).digest(schema.names, figures)
            if found := self._differences(table, reading, digest):
                raise StepFailed(f"table {table}: {found}")
            content = self._compared(table, draft, schema, digest)
        on_rows(table, content.digest.rows, True)
        totals = Totals(*content.digest.figures)
        landed = Table(
            rows=content.digest.rows,
            rejected_rows=len(self._rejects(table, reading)),
            columns=[Column(field.name, str(field.type)) for field in schema],
            files=content.files,
            content_hash=content.digest.content_hash,
            run_id=self._run_id,
            read_rows=reading.count(table),
            totals={"source": totals, "landing": totals},
            removed=content.removed,
            bookmark=reading.bookmark(table),
        )
        return landed, content.change

    def _earlier(self, table: str, schema: pa.Schema) -> Table | None:
        """Return the earlier day's table if its files may be listed again, and if its rows can be compared."""
        was = self.earlier.tables.get(table) if self.earlier else None
        columns = [Column(field.name, str(field.type)) for field in schema]
        return was if was and was.columns == columns and is_comparable(was.content_hash) else None

    def _compared(self, table: str, draft: Path, schema: pa.Schema, digest: Digest) -> Content:
        """Return the content of a table that was read whole."""
        if was := self._earlier(table, schema):
            if was.content_hash == digest.content_hash:
                return unchanged(was, digest)
            with suppress(*_GIVE_UP), self._landing.rows(self._source.name, self._run_date, was) as earlier:
                return compared(was, earlier, draft, schema, digest, self._path(table))
        return whole(draft, digest)

    def _merged(self, table: str, draft: Path, schema: pa.Schema, figures: str, key: tuple[str, ...]) -> Content | None:
        """Return the content of a table of which only changed rows were read; None if the earlier rows aren't there."""
        if was := self._earlier(table, schema):
            with suppress(*_GIVE_UP), self._landing.rows(self._source.name, self._run_date, was) as earlier:
                return merged(was, earlier, draft, schema, figures, self._path(table), key)
        return None

    def _differences(self, table: str, reading: Reading, digest: Digest) -> str | None:
        """Return how the rows that land differ from those that the source has, in number or sums."""
        read, rejected = reading.count(table), len(self._rejects(table, reading))
        if digest.rows != read - rejected:
            return f"{read} rows were read, but {digest.rows} landed and {rejected} were rejected"
        sums, landed = self._source_totals(table, reading), Totals(*digest.figures)
        for name in ("key", "amount"):
            if (here := getattr(sums, name)) != (there := getattr(landed, name)):
                return f"the {name} sum of what was read is {here}, of what landed {there}"
        return None

    def _source_totals(self, table: str, reading: Reading) -> Totals:
        """Return the sums of the whole table as it was read, earlier or now."""
        if reading.is_summed:
            return reading.totals(table)
        if reading.increment(table) and (was := self.earlier and self.earlier.tables.get(table)):
            return add_totals(was.totals.get("source", Totals()), self._sums[table])
        return self._sums[table]

    def _write(
        self, draft: Path, schema: pa.Schema, batches: Iterable[pa.Table], reading: Reading, table: str, on_rows: OnRows
    ) -> None:
        """Write rows of a table into a file, which an empty table has too."""
        rows, control = 0, self._source.control_totals.get(table)
        sums = BatchTotals(control, schema) if control and not reading.is_summed else None
        with parquet.ParquetWriter(draft, schema) as writer:
            for batch in batches:
                _refuse_other_columns(table, schema, batch.schema)
                writer.write_table(batch)
                rows += batch.num_rows
                if sums:
                    sums.add(batch)
                on_rows(table, rows, False)
        self._sums[table] = sums.totals() if sums else Totals()

    def _place(self, table: str, read: tuple[Table, Change]) -> Table:
        """Put a table's new files into landing; return it with them."""
        landed, change = read

        def place(draft: Path | None, name: str, rows: int) -> list[File]:
            if draft is None:
                return []
            folder, _, name = name.rpartition("/")
            file = self._landing.place(draft, folder, name, rows)
            self._placed.append(file)
            return [file]

        added = place(change.added, self._path(table), change.added_rows)
        removed = place(change.removed, self._path(table, "-removed"), change.removed_rows)
        return replace(landed, files=[*landed.files, *added], removed=[*landed.removed, *removed])

    def _path(self, table: str, suffix: str = "") -> str:
        """Return the landing path of a table's new file."""
        folder = self._landing.partition(self._source.area, table, self._run_date)
        return f"{folder}/{self._run_id}{suffix}.parquet"


def _refuse_other_columns(table: str, schema: pa.Schema, found: pa.Schema) -> None:
    if not found.equals(schema):
        raise StepFailed(f"table {table} landed with other columns than the source has")
