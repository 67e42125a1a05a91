"""The marts that every run writes as files: whole or not at all, in a stable order, the same day the same bytes."""

from pathlib import Path
from uuid import uuid4

import duckdb

from ingestion.errors import StepFailed
from ingestion.files import move_into_place
from ingestion.redact import one_line
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.sources.postgres import literal
from ingestion.warehouse import Warehouse
from pipeline.project import exports

_COPY_OPTIONS = {"csv": "format csv, header true", "json": "format json, array true"}


def write_exports(warehouse: Warehouse, run_date: str, home: Home) -> dict[str, int]:
    """Write every declared export of a day under `exports/<run_date>`; return rows by file name.

    Files are drafted first and put in place only when all are complete; raises StepFailed when one can't be written.
    """
    folder = home.exports / run_date
    folder.mkdir(parents=True, exist_ok=True)
    drafts: dict[Path, Path] = {}
    rows = {}
    try:
        for export in exports():
            for format_ in export.formats:
                path = folder / f"{export.name}.{format_}"
                drafts[path] = folder / f".{path.name}.{uuid4().hex}"
                with warehouse.reading(export.relation, export.order_by) as mart:
                    rows[path.name] = _copy(mart, drafts[path], _COPY_OPTIONS[format_])
        for path, draft in drafts.items():
            move_into_place(draft, path)
    except (duckdb.Error, OSError) as error:
        raise StepFailed(f"the exports can't be written: {one_line(error)}") from error
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    return rows


def _copy(mart, path: Path, options: str) -> int:
    """Write an Arrow stream through DuckDB, so that every target's files read alike; return rows."""
    with open_session() as connection:
        connection.register("mart", mart)
        return connection.execute(f"copy (select * from mart) to {literal(str(path))} ({options})").fetchone()[0]
