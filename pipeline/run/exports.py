"""Write marts as files, all or none, in a stable order: the same day gives the same bytes."""

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import duckdb

from ingestion.errors import StepFailed
from ingestion.files import write_atomically
from ingestion.redact import one_line
from ingestion.settings import Home
from ingestion.sql import literal
from ingestion.stores import open_store
from ingestion.warehouse import Warehouse
from pipeline.dbt.project import exports
from pipeline.run.pieces import Piece, Rows, Written


def write_exports(warehouse: Warehouse, run_date: str, home: Home) -> dict[str, int]:
    """Write every declared export of a day under `exports/<run_date>`; return the number of rows by file name.

    Files are put in place only when all drafts are complete; raises StepFailed when one can't be written.
    """
    store = open_store(home.exports, home.work, is_shared=True)
    record = home.work / "exports.json"
    before, written = _read(record), {}
    drafts: dict[str, Path] = {}
    counts = {}
    try:
        with ExitStack() as held:
            for export in exports():
                with warehouse.exporting(export.relation) as session, store.draft("spilled") as spilled:
                    session.execute(f"set temp_directory = {literal(str(spilled))}")
                    rows = Rows(session, export.order_by)
                    for format_ in export.formats:
                        name = f"{export.name}.{format_}"
                        drafts[name] = held.enter_context(store.draft(name))
                        path = store.location(f"{run_date}/{name}")
                        written[name] = rows.write(drafts[name], path, format_, export.columns, before.get(name))
                        counts[name] = rows.count
            for name, draft in drafts.items():
                store.put(draft, f"{run_date}/{name}")
            write_atomically(record, json.dumps({name: asdict(file) for name, file in written.items()}))
    except (duckdb.Error, OSError) as error:
        raise StepFailed(f"the exports can't be written: {one_line(error)}") from error
    return counts


def _read(record: Path) -> dict[str, Written]:
    """Return what is known of the last written files; without it, all is written anew."""
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        return {
            name: Written(file["made_by"], [Piece(**piece) for piece in file["pieces"]]) for name, file in told.items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}
