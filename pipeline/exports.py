"""The marts that every run writes as files: whole or not at all, in a stable order, the same day the same bytes."""

from contextlib import ExitStack
from pathlib import Path

import duckdb
import pyarrow as pa

from ingestion.errors import StepFailed
from ingestion.redact import FORMULA_STARTS, one_line
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.sources.postgres import literal
from ingestion.sources.postgres_types import quote
from ingestion.stores import open_store
from ingestion.warehouse import Warehouse
from pipeline.project import exports

_COPY_OPTIONS = {"csv": "format csv, header true", "json": "format json, array true"}


def write_exports(warehouse: Warehouse, run_date: str, home: Home) -> dict[str, int]:
    """Write every declared export of a day under `exports/<run_date>`; return rows by file name.

    Files are drafted first and put in place only when all are complete; raises StepFailed when one can't be written.
    """
    store = open_store(home.exports, home.work)
    drafts: dict[str, Path] = {}
    rows = {}
    try:
        with ExitStack() as held:
            for export in exports():
                for format_ in export.formats:
                    name = f"{export.name}.{format_}"
                    drafts[name] = held.enter_context(store.draft(name))
                    with warehouse.reading(export.relation, export.order_by) as mart:
                        rows[name] = _copy(mart, drafts[name], format_)
            for name, draft in drafts.items():
                store.put(draft, f"{run_date}/{name}")
    except (duckdb.Error, OSError) as error:
        raise StepFailed(f"the exports can't be written: {one_line(error)}") from error
    return rows


def _copy(mart: pa.RecordBatchReader, path: Path, format_: str) -> int:
    """Write an Arrow stream through DuckDB, so that every target's files read alike; return rows."""
    cells = ", ".join(_disarmed(field) if format_ == "csv" else quote(field.name) for field in mart.schema)
    with open_session() as connection:
        connection.register("mart", mart)
        copy = f"copy (select {cells} from mart) to {literal(str(path))} ({_COPY_OPTIONS[format_]})"
        return connection.execute(copy).fetchone()[0]


def _disarmed(field: pa.Field) -> str:
    """Return SQL for a column whose text no spreadsheet takes for a formula: an apostrophe goes before it."""
    name = quote(field.name)
    if not pa.types.is_string(field.type):
        return name
    starts, apostrophe = ", ".join(map(literal, FORMULA_STARTS)), literal("'")
    return f"case when left({name}, 1) in ({starts}) then {apostrophe} || {name} else {name} end as {name}"
