"""Write the columns' lineage as a page of our own: dbt-colibri reads it from dbt's artifacts, our page shows it."""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingestion.errors import Refused, StepFailed
from ingestion.redact import one_line
from pipeline.dbt.project import find_answer
from pipeline.pages import Pages

LINEAGE_PAGE = "lineage/index.html"


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
    """Write the page; it opens on the answer, or in a project without one on the first model."""
    answer = find_answer()
    opened = answer.relation.partition(".")[2] if answer else None
    if opened not in {table.name for table in tables}:
        opened = next(table.name for table in tables if table.kind == "model")
    Pages(reports, Path(__file__).with_name("templates")).write(
        LINEAGE_PAGE, "lineage.html", tables=[asdict(table) for table in tables], opened=opened
    )


def _table(name: str, node: dict[str, Any]) -> Table:
    about = (node.get("description") or "").strip()
    return Table(name, node["nodeType"], about, [], {column: [] for column in node.get("columns") or {}})


def _name(node: dict[str, Any]) -> str:
    return f"{node['fullName'].split('.')[-2]}.{node['name']}" if node["nodeType"] == "source" else node["name"]
