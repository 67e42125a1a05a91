"""Write the columns' lineage as a page of our own: dbt-colibri reads it from dbt's artifacts, our page shows it."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.files import write_atomically
from ingestion.redact import one_line
from ingestion.settings import Home
from pipeline.dbt.project import find_answer
from pipeline.pages import Pages

LINEAGE_PAGE = "lineage/index.html"
_TABLES = "lineage/tables.json"  # the same for agents


@dataclass(frozen=True)
class Table:
    """A table of the project: its name and kind, its columns, and for each the columns that it is made of.

    `reads` are the tables that it reads, for filters and joins too.
    """

    name: str
    kind: str
    about: str
    reads: list[str]
    columns: dict[str, list[tuple[str, str]]]

    def made_of(self, column: str) -> list[str]:
        """Return what a column is made of, as `table.column`."""
        return [f"{table}.{source}" for table, source in self.columns[column]]


def read_lineage(artifacts: Path) -> list[Table]:
    """Return every table's lineage, from a folder with dbt's manifest.json and catalog.json.

    Raises StepFailed when dbt-colibri fails.
    """
    try:
        from dbt_colibri.lineage_extractor.extractor import DbtColumnLineageExtractor
        from dbt_colibri.report.generator import DbtColibriReportGenerator
    except ImportError as error:
        raise Refused(f"dbt-colibri isn't there: {one_line(error)}", "make setup") from error
    logging.getLogger("colibri").setLevel(logging.CRITICAL)
    try:
        read = DbtColumnLineageExtractor(str(artifacts / "manifest.json"), str(artifacts / "catalog.json"))
        found = DbtColibriReportGenerator(read, disable_telemetry=True).build_full_lineage()
    except Exception as error:  # it has no errors of its own
        raise StepFailed(f"the columns' lineage can't be read: {type(error).__name__}: {one_line(error)}") from error
    return tables_of(found["nodes"], found["lineage"]["edges"])


def tables_of(nodes: dict[str, dict[str, Any]], edges: list[dict[str, Any]]) -> list[Table]:
    """Return dbt-colibri's nodes and edges as tables, by name; filters, joins and exposures have no target column."""
    names = {node: _name(told) for node, told in nodes.items()}
    tables = {node: _table(names[node], told) for node, told in nodes.items()}
    for edge in edges:
        source, target = names[edge["source"]], tables[edge["target"]]
        if source not in target.reads:
            target.reads.append(source)
        if edge["sourceColumn"] and edge["targetColumn"]:
            target.columns.setdefault(edge["targetColumn"], []).append((source, edge["sourceColumn"]))
    return sorted(tables.values(), key=lambda table: table.name)


def write_lineage(reports: Path, tables: list[Table]) -> None:
    """Write the page and its tables; it opens on the answer, or in a project without one on the first model."""
    write_atomically(reports / _TABLES, json.dumps([asdict(table) for table in tables]))
    answer = find_answer()
    opened = answer.relation.partition(".")[2] if answer else None
    if opened not in {table.name for table in tables}:
        opened = next(table.name for table in tables if table.kind == "model")
    Pages(reports, Path(__file__).with_name("templates")).write(
        LINEAGE_PAGE, "lineage.html", tables=[asdict(table) for table in tables], opened=opened
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


def _table(name: str, node: dict[str, Any]) -> Table:
    about = (node.get("description") or "").strip()
    return Table(name, node["nodeType"], about, [], {column: [] for column in node.get("columns") or {}})


def _name(node: dict[str, Any]) -> str:
    return f"{node['fullName'].split('.')[-2]}.{node['name']}" if node["nodeType"] == "source" else node["name"]
