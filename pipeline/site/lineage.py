"""Write the columns' lineage as a page of our own."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ingestion.errors import BadRequest, Refused
from ingestion.files import write_atomically
from ingestion.settings import Home
from pipeline.dbt.lineage import Table
from pipeline.dbt.project import find_answer
from pipeline.pages import Pages

LINEAGE_PAGE = "lineage/index.html"
_TABLES = "lineage/tables.json"  # the same for agents
_SHOWN = ("name", "kind", "about", "reads", "columns")


def write_lineage(reports: Path, tables: list[Table]) -> None:
    """Write the page and its tables; it opens on the answer, or in a project without one on the first model."""
    write_atomically(reports / _TABLES, json.dumps([asdict(table) for table in tables]))
    answer = find_answer()
    opened = answer.relation.partition(".")[2] if answer else None
    if opened not in {table.name for table in tables}:
        opened = next(table.name for table in tables if table.kind == "model")
    shown = [{name: asdict(table)[name] for name in _SHOWN} for table in tables]
    Pages(reports, Path(__file__).with_name("templates")).write(
        LINEAGE_PAGE, "lineage.html", tables=shown, opened=opened
    )


def read_tables(home: Home) -> dict[str, Table]:
    """Return what `write_lineage` wrote of every table; raises Refused when it hasn't."""
    try:
        written = json.loads((home.root / "reports" / _TABLES).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Refused("the lineage isn't written yet", "tradewinds docs") from error
    return {table["name"]: Table(**table) for table in written}


def trace(tables: dict[str, Table], name: str, column: str | None = None) -> dict[str, Any]:
    """Return a table's lineage, or a column's down to the sources; raises BadRequest on an unknown one."""
    if name not in tables:
        raise BadRequest(f"the lineage has no table {name}")
    table = tables[name]
    if column is None:
        read_by = [other.name for other in tables.values() if name in other.reads]
        columns = {each: table.made_of(each) for each in table.columns}
        return {"table": name, "kind": table.kind, "reads": table.reads, "read_by": read_by, "columns": columns}
    if column not in table.columns:
        raise BadRequest(f"{name} has no column {column}; its columns are {', '.join(table.columns)}")
    steps, left = {}, [(name, column)]
    while left:
        owner, each = left.pop()
        if f"{owner}.{each}" not in steps and each in tables[owner].columns:
            steps[f"{owner}.{each}"] = tables[owner].made_of(each)
            left += [(source, its) for source, its in tables[owner].columns[each]]
    return {"column": f"{name}.{column}", "made_of": steps}
