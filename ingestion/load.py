"""Load landing into raw: a complete, undamaged day goes into the warehouse in one transaction."""

from contextlib import ExitStack

import pyarrow as pa
import pyarrow.parquet as parquet

from ingestion.errors import Refused
from ingestion.landing import Damaged, Landing, Rows
from ingestion.settings import Home
from ingestion.sources import SOURCES, Source
from ingestion.warehouse import SOURCE_DAYS, RawTable, Rejects, Warehouse


def refuse_unlanded(sources: list[Source], run_date: str, home: Home) -> None:
    """Raise Refused, naming each fault, unless every source's day is landed, complete and undamaged (SHA-256)."""
    landing = Landing(home)
    faults = {source.name: landing.faults(source.name, run_date, read_files=True) for source in sources}
    faulty = [name for name, found in faults.items() if found]
    if faulty:
        if run_date in landing.pruned_days():
            landing.refuse_pruned(run_date)
        again = "".join(f" --source {name}" for name in faulty)
        found = [fault for found in faults.values() for fault in found]
        raise Refused.of("faults in landing", found, f"tradewinds extract --run-date {run_date}{again}")


def load_sources(sources: list[Source], run_date: str, home: Home, warehouse: Warehouse) -> dict[str, int]:
    """Replace a day's rows of these sources in raw; return the number of rows by raw table.

    Raises Refused when a source hasn't landed completely, StepFailed when the warehouse can't load it. Either leaves
    the warehouse unchanged.
    """
    if not sources:
        return {}
    landing = Landing(home)
    if any(landing.faults(source.name, run_date, read_files=False) for source in sources):
        refuse_unlanded(sources, run_date, home)
    tables, rejects = [], []
    with ExitStack() as held:
        for source in sources:
            manifest = landing.landed_manifest(source.name, run_date)
            try:
                paths = held.enter_context(landing.local(source.name, run_date, manifest.row_files))
            except Damaged:
                refuse_unlanded(sources, run_date, home)
                raise
            path_of = dict(zip(manifest.row_files, paths, strict=True))
            rejects += [(path_of[file], file.rows) for file in manifest.rejects]
            tables += [
                RawTable(
                    source=source.name,
                    raw_schema=source.raw_schema,
                    name=name,
                    rows=Rows(
                        [path_of[file] for file in table.files],
                        [file.path for file in table.files],
                        [path_of[file] for file in table.removed],
                    ),
                    schema=parquet.read_schema(path_of[table.files[0]]),
                    landed=table,
                    is_sample=manifest.is_sample,
                )
                for name, table in manifest.tables.items()
            ]
        warehouse.load_day(
            run_date,
            [source.name for source in sources],
            tables,
            Rejects([path for path, _ in rejects], sum(rows for _, rows in rejects)),
        )
    return {f"{table.raw_schema}.{table.name}": table.landed.rows for table in tables}


def record_source_days(warehouse: Warehouse) -> None:
    """Record the first days of sources that aren't part of every day, and create the missing raw tables of added ones.

    dbt's views need the tables on every day, and its tests ignore days that a source isn't part of.
    """
    sources = [one for one in SOURCES.values() if not (one.settings.has_sample and one.settings.is_on_all_days)]
    if not sources and not warehouse.has_source_days():
        return
    days = [
        {"raw_schema": source.raw_schema, "since": source.settings.since if source.settings.is_there else None}
        for source in sources
        if not source.settings.is_on_all_days
    ]
    tables = {
        (source.raw_schema, table): schema for source in sources for table, schema in source.declared_schemas().items()
    }
    warehouse.record_sources(pa.Table.from_pylist(days, schema=SOURCE_DAYS), tables)
