"""Source to landing: dlt reads every table into Parquet, the day is committed when all of it is in."""

import shutil
from pathlib import Path
from uuid import uuid4

import pyarrow as pa

from ingestion.dlt_extraction import Extraction, OnRows
from ingestion.drift import refuse_drift, refuse_shrink
from ingestion.errors import BadRequest, StepFailed
from ingestion.landing import File, Landing, Manifest
from ingestion.settings import Home
from ingestion.sources import Source


def extract_source(
    source: Source,
    run_date: str,
    home: Home,
    *,
    tables: list[str] | None = None,
    accept_drift: bool = False,
    accept_shrink: bool = False,
    on_rows: OnRows = lambda table, rows, is_complete: None,
) -> Manifest:
    """Land one source's day and return its manifest; the day before it, if any, stays until the commit.

    With `tables` only those are read, the day's others kept as they are. Raises StepFailed when the source can't be
    read, has drifted or shrunk, or is being extracted by another process; BadRequest on an unknown table.
    """
    landing = Landing(home.landing)
    with landing.day_lock(source.name, run_date):
        earlier_run = landing.started_run(source.name, run_date)
        run_id = uuid4().hex
        work = landing.begin(source.name, run_date, run_id)
        extraction = Extraction(source, run_date, run_id, landing, work)
        try:
            with source.open(home, run_date, work) as reading:
                schemas = reading.schemas()
                wanted = _known_tables(source.name, tables, schemas)
                is_sample = not source.is_configured()
                _refuse_ambiguous(schemas)
                before = landing.previous(source.name, run_date)
                if not accept_drift:
                    refuse_drift(before, schemas, source=source.name, is_sample=is_sample)
                landed = extraction.land({table: schemas[table] for table in wanted}, reading, on_rows)
                if not accept_shrink:
                    rows = {name: landed[name].rows for name in source.tables_with_history & set(landed)}
                    refuse_shrink(before, rows, source=source.name, is_sample=is_sample)
                kept = landing.manifest(source.name, run_date) if tables else None
                if kept and kept.is_sample != is_sample:
                    kept = None  # a day is all sample or all real
                manifest = Manifest(
                    source=source.name,
                    run_date=run_date,
                    run_id=run_id,
                    is_sample=is_sample,
                    source_tables=list(schemas),
                    tables={
                        name: table
                        for name, table in ((kept.tables if kept else {}) | landed).items()
                        if name in schemas
                    },
                    rejects=_kept_rejects(kept, wanted) + extraction.land_rejects(wanted, reading),
                )
        except BaseException as error:
            extraction.discard()
            if isinstance(error, BadRequest):
                landing.withdraw(source.name, run_date, earlier_run)
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
        landing.commit(manifest, extraction.folders(schemas))
        return manifest


def _known_tables(source: str, tables: list[str] | None, schemas: dict[str, pa.Schema]) -> list[str]:
    unknown = [table for table in tables or [] if table not in schemas]
    if unknown:
        raise BadRequest(f"{source} has no table {', '.join(unknown)}; it has {', '.join(schemas)}")
    return [table for table in schemas if not tables or table in tables]


def _refuse_ambiguous(schemas: dict[str, pa.Schema]) -> None:
    """Raise StepFailed where names differ only in case: DuckDB, like most readers, can't tell them apart."""
    named = {"the source has tables": list(schemas)}
    named |= {f"table {table} has columns": schema.names for table, schema in schemas.items()}
    for owner, names in named.items():
        alike = [name for name in names if [other.lower() for other in names].count(name.lower()) > 1]
        if alike:
            raise StepFailed(f"{owner} that differ only in case, which no reader tells apart: {', '.join(alike)}")


def _kept_rejects(kept: Manifest | None, replaced: list[str]) -> list[File]:
    """Return the earlier extract's reject files (`<table>-<run id>.parquet`) of the tables that aren't read again."""
    if kept is None:
        return []
    return [file for file in kept.rejects if Path(file.path).name.rpartition("-")[0] not in replaced]
