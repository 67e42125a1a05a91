"""Read the columns' lineage with dbt-colibri, once for each state of the project: the site and OpenLineage show it."""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ingestion.errors import Refused, StepFailed
from ingestion.files import write_atomically
from ingestion.redact import one_line


@dataclass(frozen=True)
class Table:
    """A table of the project: its name and kind, its columns, and for each the columns that it is made of.

    `reads` are the tables that it reads, for filters and joins too. `relation` is its place in the warehouse, and
    `types` are the types that its yml declares.
    """

    name: str
    kind: str
    about: str
    reads: list[str]
    columns: dict[str, list[tuple[str, str]]]
    relation: str = ""
    types: dict[str, str | None] = field(default_factory=dict)

    def made_of(self, column: str) -> list[str]:
        """Return what a column is made of, as `table.column`."""
        return [f"{table}.{source}" for table, source in self.columns[column]]


def read_lineage(kept: Path, compiled: Callable[[], dict[str, Any] | None]) -> list[Table]:
    """Return every table's lineage: what `kept` has, else what dbt-colibri reads from a compiled manifest, kept there.

    Raises StepFailed when dbt-colibri fails or a model isn't compiled, Refused when dbt-colibri isn't installed.
    """
    try:
        return [Table(**told) for told in json.loads(kept.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):  # a new one replaces it
        pass
    if (manifest := compiled()) is None:
        raise StepFailed("the columns' lineage can't be read: not every model is compiled")
    tables = tables_of(*_extract(manifest))
    with suppress(OSError):  # a project that may not be written
        write_atomically(kept, json.dumps([asdict(table) for table in tables]))
    return tables


def _extract(manifest: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Return dbt-colibri's nodes and edges. It takes files, and a catalog, which here is what the project declares."""
    try:
        from dbt_colibri.lineage_extractor.extractor import DbtColumnLineageExtractor
        from dbt_colibri.report.generator import DbtColibriReportGenerator
    except ImportError as error:
        raise Refused(f"dbt-colibri isn't there: {one_line(error)}", "make setup") from error
    logging.getLogger("colibri").setLevel(logging.CRITICAL)
    nodes = {id_: _declared(node) for id_, node in manifest["nodes"].items() if node.get("relation_name")}
    sources = {id_: _declared(node) for id_, node in manifest["sources"].items()}
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("manifest.json", "catalog.json")]
        for path, content in zip(paths, (manifest, {"nodes": nodes, "sources": sources}), strict=True):
            path.write_text(json.dumps(content, default=str), encoding="utf-8")
        try:
            read = DbtColumnLineageExtractor(*map(str, paths))
            found = DbtColibriReportGenerator(read, disable_telemetry=True).build_full_lineage()
        except Exception as error:  # it has no errors of its own
            raise StepFailed(
                f"the columns' lineage can't be read: {type(error).__name__}: {one_line(error)}"
            ) from error
    return found["nodes"], found["lineage"]["edges"]


def _declared(node: dict[str, Any]) -> dict[str, Any]:
    """Return a node's entry of a catalog, with the columns of its yml: a test holds them against the warehouse."""
    name = node.get("identifier") or node.get("alias") or node["name"]
    columns = {
        column: {"name": column, "index": index, "type": told["data_type"] or ""}
        for index, (column, told) in enumerate(node["columns"].items())
    }
    place = {"database": node["database"], "schema": node["schema"], "name": name, "type": "table"}
    return {"unique_id": node["unique_id"], "metadata": place, "columns": columns, "stats": {}}


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
    for table in tables.values():
        table.reads.sort()
        for made_of in table.columns.values():
            made_of.sort()
    return sorted(tables.values(), key=lambda table: table.name)


def _table(name: str, node: dict[str, Any]) -> Table:
    about, columns = (node.get("description") or "").strip(), node.get("columns") or {}
    types = {column: told.get("dataType") or None for column, told in columns.items()}
    relation = (node.get("relationName") or "").replace('"', "")
    return Table(name, node["nodeType"], about, [], {column: [] for column in columns}, relation, types)


def _name(node: dict[str, Any]) -> str:
    return f"{node['fullName'].split('.')[-2]}.{node['name']}" if node["nodeType"] == "source" else node["name"]
