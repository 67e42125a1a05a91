"""Run dlt once over tables of one source: Arrow batches become Parquet files in landing."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from ingestion.digest import digest_files
from ingestion.dlt_folder import brought_into, dlt_folder
from ingestion.errors import StepFailed, TradewindsError
from ingestion.landing import Answer, Column, File, Landing, Table, Totals
from ingestion.redact import one_line
from ingestion.settings import use_project_settings
from ingestion.sources import REJECT_SCHEMA, AnswerReading, Reading, Source
from ingestion.totals import DuckDBSql

# Called with a table, its row count so far, and whether it is complete.
OnRows = Callable[[str, int, bool], None]


class Extraction:
    """One run of dlt over tables of one source, into new files in one day's partitions."""

    def __init__(self, source: Source, run_date: str, run_id: str, landing: Landing, work: Path):
        self._source = source
        self._run_date = run_date
        self._run_id = run_id
        self._landing = landing
        self._work = work
        self._files: dict[str, list[File]] = {}
        self._rejects: list[File] = []
        self._answers: list[File] = []
        self._failures: list[Exception] = []

    def land(self, schemas: dict[str, pa.Schema], reading: Reading, on_rows: OnRows) -> dict[str, Table]:
        """Read the tables and place their files; raises StepFailed when the number of rows read and landed differs."""
        counts: dict[str, int] = {}

        def rows_of(table: str) -> Iterator[pa.Table]:
            counts[table] = 0
            for batch in reading.read(table):
                counts[table] += batch.num_rows
                on_rows(table, counts[table], False)
                yield batch
            if counts[table] == 0:
                yield schemas[table].empty_table()  # an empty table lands too, with its columns
            on_rows(table, counts[table], True)

        self.folders(schemas)  # refuse an unfit table name before reading anything
        self._run_dlt({table: rows_of(table) for table in schemas}, schemas)
        landed = {}
        for table, schema in schemas.items():
            files = sorted(self._files.get(table, []), key=lambda file: file.path)
            rows = sum(file.rows for file in files)
            if not files or rows != counts[table]:
                raise StepFailed(f"table {table}: {counts.get(table, 0)} rows were read, but {rows} landed")
            read, rejected = reading.count(table), len(reading.rejects(table))
            if read != rows + rejected:
                raise StepFailed(
                    f"table {table}: {read} rows were read, but {rows} landed and {rejected} were rejected"
                )
            # Read back from landing: readers get the rows that are summed and hashed here.
            with self._landing.local(self._source.name, self._run_date, files) as paths:
                if any(_types(parquet.read_schema(path)) != _types(schema) for path in paths):
                    raise StepFailed(f"table {table} landed with other columns than the source has")
                control = self._source.control_totals.get(table)
                figures = control.select(schema, DuckDBSql) if control else "null, null"
                digest = digest_files(paths, schema.names, figures)
                landed[table] = Table(
                    rows=rows,
                    rejected_rows=rejected,
                    columns=[Column(field.name, str(field.type)) for field in schema],
                    files=files,
                    content_hash=digest.content_hash,
                    run_id=self._run_id,
                    read_rows=read,
                    totals=_agreeing(table, reading.totals(table), Totals(*digest.figures)),
                )
        return landed

    def discard(self) -> None:
        """Remove the placed files, which no manifest lists."""
        placed = (file for files in self._files.values() for file in files)
        self._landing.discard([*self._rejects, *self._answers, *placed])

    def land_rejects(self, tables: list[str], reading: Reading) -> list[File]:
        """Place the rejected rows, one file per table that has any."""
        day = date.fromisoformat(self._run_date)
        for table in tables:
            rejects = [reject | {"source": self._source.name, "run_date": day} for reject in reading.rejects(table)]
            if rejects:
                name = f"{table}-{self._run_id}.parquet"
                draft = self._work / name
                parquet.write_table(pa.Table.from_pylist(rejects, schema=REJECT_SCHEMA), draft)
                self._rejects.append(self._landing.place(draft, self._rejects_folder(), name, len(rejects)))
        return self._rejects

    def land_answers(self, tables: list[str], reading: AnswerReading) -> list[Answer]:
        """Place the source's new answers in landing, and return all answers that the tables were read from."""

        def place(draft: Path, table: str, name: str) -> File:
            folder = self._answers_folder(table)
            file = self._landing.place(draft, folder, f"{self._run_id}-{name}", 0)
            self._answers.append(file)
            return file

        return [answer for table in tables for answer in reading.land_answers(table, place)]

    def folders(self, tables: Iterable[str]) -> list[str]:
        """Return every folder that holds this source's files for this day."""
        partitions = [self._landing.partition(self._source.area, table, self._run_date) for table in tables]
        return [*partitions, *map(self._answers_folder, tables), self._rejects_folder()]

    def _answers_folder(self, table: str) -> str:
        kind, *own = self._source.area.split("/")
        return self._landing.partition("/".join([kind, "_raw", *own]), table, self._run_date)

    def _rejects_folder(self) -> str:
        return self._landing.partition("_rejects", self._source.name, self._run_date)

    def _run_dlt(self, batches: dict[str, Iterator[pa.Table]], schemas: dict[str, pa.Schema]) -> None:
        use_project_settings()
        import dlt

        # dlt allows few characters in a table name, so tables are numbered.
        tables = {f"table_{number}": table for number, table in enumerate(batches)}

        # batch_size=0 passes whole finished files, including empty ones.
        @dlt.destination(
            name="landing",
            loader_file_format="parquet",
            batch_size=0,
            skip_dlt_columns_and_tables=True,
            naming_convention="ingestion.naming",
        )
        def landing(path: Any, table: Any) -> None:
            try:
                self._take(brought_into(self._work, path), tables[table["name"]])
            except Exception as error:  # dlt would print a traceback and retry
                self._failures.append(error)

        resources = [
            dlt.resource(batches[table], name=number, columns=_hints(schemas[table]))
            for number, table in tables.items()
        ]
        try:
            with dlt_folder(self._work / "dlt") as folder:
                pipeline = dlt.pipeline(f"extract_{self._source.name}", pipelines_dir=folder, destination=landing)
                info = pipeline.run(
                    dlt.source(lambda: resources, name=self._source.name)(),
                    loader_file_format="parquet",
                )
            info.raise_on_failed_jobs()
            if self._failures:
                raise self._failures[0]
        except Exception as error:
            raise _root_cause(error) from error

    def _take(self, path: Path, table: str) -> None:
        folder = self._landing.partition(self._source.area, table, self._run_date)
        part = path.name.split(".")[-3]  # dlt names its files <table>.<id>.<try>.parquet
        rows = parquet.read_metadata(path).num_rows
        file = self._landing.place(path, folder, f"{self._run_id}-{part}.parquet", rows)
        self._files.setdefault(table, []).append(file)


def _agreeing(table: str, source: Totals, landing: Totals) -> dict[str, Totals]:
    """Return both totals by stage; raises StepFailed when they differ."""
    for name in ("key", "amount"):
        read, landed = getattr(source, name), getattr(landing, name)
        if read != landed:
            raise StepFailed(f"table {table}: the {name} sum of what was read is {read}, of what landed {landed}")
    return {"source": source, "landing": landing}


def _types(schema: pa.Schema) -> dict[str, pa.DataType]:
    return {field.name: field.type for field in schema}


def _hints(schema: pa.Schema) -> dict[str, Any]:
    """Mark timestamps without a time zone, which dlt would otherwise turn into UTC."""
    return {
        field.name: {"data_type": "timestamp", "precision": 6, "timezone": False}
        for field in schema
        if pa.types.is_timestamp(field.type) and field.type.tz is None
    }


def _root_cause(error: BaseException) -> TradewindsError:
    """Return the error that stopped dlt: our own if there is one, else the innermost cause as one line."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TradewindsError):
            return cause
        innermost, cause = cause, cause.__cause__ or cause.__context__
    return StepFailed(f"dlt: {one_line(innermost)}")
