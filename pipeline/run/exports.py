"""Write marts as files, all or none, in a stable order: the same day gives the same bytes."""

from contextlib import ExitStack
from pathlib import Path

import duckdb

from ingestion.errors import StepFailed
from ingestion.redact import FORMULA_STARTS, one_line
from ingestion.settings import Home
from ingestion.sql import literal, quote
from ingestion.stores import open_store
from ingestion.warehouse import Warehouse
from pipeline.dbt.project import exports

_COPY_OPTIONS = {"csv": "format csv, header true", "json": "format json, array true"}


def write_exports(warehouse: Warehouse, run_date: str, home: Home) -> dict[str, int]:
    """Write every declared export of a day under `exports/<run_date>`; return the number of rows by file name.

    Files are put in place only when all drafts are complete; raises StepFailed when one can't be written.
    """
    store = open_store(home.exports, home.work, is_shared=True)
    drafts: dict[str, Path] = {}
    rows = {}
    try:
        with ExitStack() as held:
            for export in exports():
                with warehouse.sorting(export.relation, export.order_by) as session:
                    for format_ in export.formats:
                        name = f"{export.name}.{format_}"
                        drafts[name] = held.enter_context(store.draft(name))
                        rows[name] = _copy(session, drafts[name], format_, export.columns)
            for name, draft in drafts.items():
                store.put(draft, f"{run_date}/{name}")
    except (duckdb.Error, OSError) as error:
        raise StepFailed(f"the exports can't be written: {one_line(error)}") from error
    return rows


def _copy(session: duckdb.DuckDBPyConnection, path: Path, format_: str, wanted: list[str] | None) -> int:
    """Write `sorted_mart` with DuckDB, so that files don't depend on the target; return the number of rows."""
    types = {name: type_ for name, type_, *_ in session.execute("describe sorted_mart").fetchall()}
    cells = ", ".join(
        _disarmed(name) if format_ == "csv" and types[name] == "VARCHAR" else quote(name) for name in wanted or types
    )
    copy = f"copy (select {cells} from sorted_mart) to {literal(str(path))} ({_COPY_OPTIONS[format_]})"
    return session.execute(copy).fetchall()[0][0]


def _disarmed(column: str) -> str:
    """Return SQL that puts an apostrophe before texts that a spreadsheet would run as a formula."""
    name, starts, apostrophe = quote(column), ", ".join(map(literal, FORMULA_STARTS)), literal("'")
    return f"case when left({name}, 1) in ({starts}) then {apostrophe} || {name} else {name} end as {name}"
