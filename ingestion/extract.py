"""Extract a source into landing: dlt reads every table into Parquet, then the manifest commits the day."""

import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from uuid import uuid4

import pyarrow as pa

from ingestion.catalogue import tables_of
from ingestion.drift import refuse_drift, refuse_missing_fields, refuse_shrink
from ingestion.errors import BadRequest, StepFailed
from ingestion.extraction import Extraction, OnRows
from ingestion.landing import Landing, Manifest
from ingestion.redact import one_line
from ingestion.rejects import read_caps, refuse_past_caps
from ingestion.settings import Home, setting_variable
from ingestion.shape import refuse_misshapen
from ingestion.sources import SOURCES, Reading, Source

_NOTHING = Manifest("", "", "", is_sample=False, source_tables=[], tables={})


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
    """Land one source's day and return its manifest; an earlier landing of the day stays until the commit.

    With `tables`, only those are read and the day's others are kept. Raises StepFailed when the source can't be read,
    has drifted or shrunk, exceeds its caps, or is being extracted by another process, or when landing can't be written;
    BadRequest on an unknown table or a cap that can't be read.
    """
    caps = read_caps(source.name, source.kind)
    landing = Landing(home)
    with _landing_in(landing, source.name), landing.day_lock(source.name, run_date), ExitStack() as stack:
        landing.refuse_pruned(run_date)
        earlier_run = landing.started_run(source.name, run_date)
        run_id = uuid4().hex
        landing.begin(source.name, run_date, run_id)
        before = landing.previous(source.name, run_date)
        # A day that landed before may be extracted again because files are damaged.
        shared = stack.enter_context(landing.sharing(before, read_files=earlier_run is not None))

        def check_schemas(reading: Reading, is_sample: bool) -> None:
            schemas = reading.schemas()
            _refuse_shared(source, schemas)
            if accept_drift:
                return
            refuse_drift(before, schemas, source=source.name, is_sample=is_sample)
            if reading.unread is not None:
                refuse_misshapen(source.name, tables_of(source.name), schemas, reading.unread, before)

        try:
            earlier = before and replace(before, tables=shared)
            with drafting(source, run_date, home, landing, run_id, on_rows, tables, check_schemas, earlier) as draft:
                if not accept_drift:
                    refuse_missing_fields(draft.missing_fields)
                if not accept_shrink:
                    rows = {name: draft.read[name].rows for name in source.tables_with_history & set(draft.read)}
                    is_sample = draft.manifest.is_sample
                    refuse_shrink(before, rows, source=source.name, is_sample=is_sample)
                refuse_past_caps(caps, draft.read, draft.manifest, landing)
                draft.commit()
                return draft.manifest
        except BadRequest:
            landing.withdraw(source.name, run_date, earlier_run)
            raise


@contextmanager
def _landing_in(landing: Landing, source: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StepFailed(f"{source} can't land in {landing.location()}: {one_line(error)}") from error


@contextmanager
def drafting(
    source: Source,
    run_date: str,
    home: Home,
    landing: Landing,
    run_id: str,
    on_rows: OnRows,
    tables: list[str] | None = None,
    check_schemas: Callable[[Reading, bool], None] = lambda reading, is_sample: None,
    before: Manifest | None = None,
) -> Iterator[Extraction]:
    """Read a source's day and yield it; all files that were read are removed unless the block commits it.

    `check_schemas` is called before anything is read, with the reading and whether it is a sample's. `before` is an
    earlier landed day with the tables whose files may be listed again. The caller holds the day's lock.
    """
    work = landing.clear_work(source.name, run_date)
    draft = Extraction(source, run_date, run_id, landing, work)
    try:
        with source.open(home, run_date, work, before) as reading:
            schemas = reading.schemas()
            wanted = _known_tables(source.name, tables, schemas)
            is_sample = source.is_sample(home)
            _refuse_ambiguous(schemas)
            check_schemas(reading, is_sample)
            if before and before.is_sample == is_sample:
                draft.earlier = before
            landed = draft.land({table: schemas[table] for table in wanted}, reading, on_rows)
            draft.read = landing.keep_hashes(source.name, run_date, landed)
            draft.missing_fields = reading.missing_fields()
            kept = _kept(landing, source.name, run_date, wanted, is_sample) if tables else _NOTHING
            draft.manifest = Manifest(
                source=source.name,
                run_date=run_date,
                run_id=run_id,
                is_sample=is_sample,
                source_tables=list(schemas),
                tables={name: table for name, table in (kept.tables | draft.read).items() if name in schemas},
                rejects=kept.rejects + draft.land_rejects(wanted, reading),
                answers=kept.answers + draft.land_answers(wanted, reading),
                undeclared_fields=kept.undeclared_fields | reading.undeclared_fields(),
                warnings=[*reading.warnings, *draft.warnings],
            )
        yield draft
    finally:
        draft.discard()
        shutil.rmtree(work, ignore_errors=True)


def _known_tables(source: str, tables: list[str] | None, schemas: dict[str, pa.Schema]) -> list[str]:
    unknown = [table for table in tables or [] if table not in schemas]
    if unknown:
        raise BadRequest(f"{source} has no table {', '.join(unknown)}; it has {', '.join(schemas)}")
    return [table for table in schemas if not tables or table in tables]


def _refuse_ambiguous(schemas: dict[str, pa.Schema]) -> None:
    """Raise StepFailed when names differ only in case, because DuckDB and most readers can't tell them apart."""
    named = {"the source has tables": list(schemas)}
    named |= {f"table {table} has columns": schema.names for table, schema in schemas.items()}
    for owner, names in named.items():
        alike = [name for name in names if [other.lower() for other in names].count(name.lower()) > 1]
        if alike:
            raise StepFailed(f"{owner} that differ only in case, which readers can't distinguish: {', '.join(alike)}")


def _refuse_shared(source: Source, tables: Collection[str]) -> None:
    """Raise StepFailed when another source fills the same raw table, because the day would have its rows twice."""
    for other in SOURCES.values():
        if other.name != source.name and other.raw_schema == source.raw_schema:
            for table in sorted(set(tables) & set(other.control_totals)):
                raise StepFailed(
                    f"{source.name} and {other.name} both have a table {table}, and its rows would be loaded twice; "
                    f"leave it out by {setting_variable(source.name, 'exclude_tables')}"
                )


def _kept(landing: Landing, source: str, run_date: str, replaced: list[str], is_sample: bool) -> Manifest:
    """Return the landed day without the replaced tables; nothing of it if it isn't a sample as well, or not real."""
    before = landing.manifest(source, run_date)
    return before.without(replaced) if before and before.is_sample == is_sample else _NOTHING
