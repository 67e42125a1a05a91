"""Read the dbt project's folders: the published marts, and the exports declared as exposures."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ingestion.settings import PROJECT

# Describes runs and differs between them, so it is published but isn't part of a version's hash.
OPERATIONS_SCHEMA = "ops"
_DOC = re.compile(r"""\{\{ *doc\(["'](\w+)["']\) *\}\}""")
_DOCS = re.compile(r"\{% docs (\w+) %\}\s*(.*?)\s*\{% enddocs %\}", re.DOTALL)


@dataclass(frozen=True)
class Mart:
    """A published relation (`schema.table`), its key columns, and the columns summed as its totals."""

    relation: str
    key: tuple[str, ...] = ()
    totals: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, str]:
        """Its schema and its table."""
        schema, _, table = self.relation.partition(".")
        return schema, table

    @property
    def is_of_operations(self) -> bool:
        """Whether it describes runs rather than the business."""
        return self.place[0] == OPERATIONS_SCHEMA


@dataclass(frozen=True)
class Export:
    """A mart that every run exports, in this row order.

    With `columns`, the file has only these; `answer` are the columns that a summary shows, if it does.
    """

    name: str
    relation: str
    formats: list[str]
    order_by: list[str]
    columns: list[str] | None = None
    answer: list[str] = field(default_factory=list)


def published_marts() -> list[Mart]:
    """Return every mart and snapshot, by name: schemas mirror the folders."""
    return [_describe(relation, node) for relation, node in sorted(_mart_nodes().items())]


def mart_columns() -> dict[str, dict[str, str | None]]:
    """Return every mart's and snapshot's columns with their declared types, by name."""
    return {
        relation: {column["name"]: column.get("data_type") for column in node["columns"]}
        for relation, node in sorted(_mart_nodes().items())
    }


def describe_marts() -> dict[str, tuple[str, dict[str, str]]]:
    """Return every mart's description, and that of each of its columns, by name."""
    texts = (path.read_text(encoding="utf-8") for path in (PROJECT / "models").rglob("*.md"))
    docs = dict(found for text in texts for found in _DOCS.findall(text))

    def resolve(node: dict[str, Any]) -> str:
        return " ".join(_DOC.sub(lambda doc: docs[doc[1]], node.get("description", "")).split())

    return {
        relation: (resolve(node), {column["name"]: resolve(column) for column in node["columns"]})
        for relation, node in _mart_nodes().items()
    }


def exports() -> list[Export]:
    """Return the exposures in `models/exports` that declare an export."""
    found = []
    for path in sorted((PROJECT / "models" / "exports").glob("*.yml")):
        for exposure in read_yaml(path).get("exposures", []):
            settings = exposure.get("config", {}).get("meta", {}).get("export")
            if settings:
                found.append(Export(name=settings["relation"].partition(".")[2], **settings))
    return found


def find_answer() -> Export | None:
    """Return the export that the summary of a run shows: the first one with `answer`."""
    return next((export for export in exports() if export.answer), None)


def read_yaml(path: Path) -> Any:
    """Parse a YAML file, with libyaml if PyYAML has it, which is ten times as fast."""
    return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (safe both)


def _mart_nodes() -> dict[str, dict[str, Any]]:
    """Return the description in YAML of every mart and snapshot."""
    models = {path.with_suffix(".yml"): path.parent.name for path in (PROJECT / "models" / "marts").glob("*/*.sql")}
    places = models | dict.fromkeys((PROJECT / "snapshots").glob("*_snapshot.yml"), "snapshots")
    found = {}
    for path, schema in places.items():
        nodes = read_yaml(path)["models" if path in models else "snapshots"]
        (found[f"{schema}.{path.stem}"],) = (node for node in nodes if node["name"] == path.stem)
    return found


def _describe(relation: str, node: dict[str, Any]) -> Mart:
    """Read a mart's key from its uniqueness test, and its totals from `config.meta.totals`."""
    tests = [test for test in node.get("data_tests", []) if isinstance(test, dict)]
    keys = [test["is_unique_combination"]["arguments"]["columns"] for test in tests if "is_unique_combination" in test]
    keys += [[column["name"]] for column in node["columns"] if "unique" in column.get("data_tests", [])]
    totals = node.get("config", {}).get("meta", {}).get("totals", [])
    return Mart(relation, tuple(keys[0]) if keys else (), tuple(totals))
