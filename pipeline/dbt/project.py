"""Read the dbt project's folders: the published marts, and the exports declared as exposures."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ingestion.errors import StepFailed
from ingestion.settings import PROJECT

# Describes runs and differs between them, so it is published but isn't part of a version's hash.
OPERATIONS_SCHEMA = "ops"
_DOC = re.compile(r"""\{\{ *doc\(["'](\w+)["']\) *\}\}""")
_REF = re.compile(r"""ref\(["'](\w+)["']\)""")
_DOCS = re.compile(r"\{% docs (\w+) %\}\s*(.*?)\s*\{% enddocs %\}", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A mart's column; `is_required` if the contract or a test proves that it is never NULL.

    `refers_to` is the mart in which a test looks for its values; `rules` holds the arguments of the tests that prove.
    """

    name: str
    description: str = ""
    is_required: bool = False
    refers_to: str | None = None
    # Neither is in a published table's comments or keys: version_comment tells by repr().
    type: str | None = field(default=None, repr=False)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True)
class Mart:
    """A published relation (`schema.table`), its key columns, and the columns summed as its totals.

    `is_keyed` if a test proves that the key is unique. A test with a `config` proves nothing: it may only warn.
    """

    relation: str
    key: tuple[str, ...] = ()
    totals: tuple[str, ...] = ()
    is_keyed: bool = False
    description: str = ""
    columns: tuple[Column, ...] = ()

    @property
    def place(self) -> tuple[str, str]:
        """Its schema and its table."""
        schema, _, table = self.relation.partition(".")
        return schema, table

    @property
    def is_of_operations(self) -> bool:
        """Whether it describes runs rather than the business."""
        return self.place[0] == OPERATIONS_SCHEMA

    @property
    def proven_key(self) -> tuple[str, tuple[str, ...]] | None:
        """The key and its kind for a table's definition: a key with a column that may be NULL is only unique."""
        required = {column.name for column in self.columns if column.is_required}
        return ("primary key" if required.issuperset(self.key) else "unique", self.key) if self.is_keyed else None


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
    nodes = _mart_nodes()
    texts = (path.read_text(encoding="utf-8") for path in (PROJECT / "models").rglob("*.md"))
    docs = dict(found for text in texts for found in _DOCS.findall(text))
    relations = {relation.partition(".")[2]: relation for relation in nodes}
    return [_describe(relation, node, docs, relations) for relation, node in sorted(nodes.items())]


def owners() -> dict[str, dict[str, str]]:
    """Return the owner of every group of `models/_groups.yml`, by name."""
    return {group["name"]: group["owner"] for group in read_yaml(PROJECT / "models" / "_groups.yml")["groups"]}


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
    """Return the description in YAML of every mart and snapshot; raises StepFailed for one without."""
    models = {path.with_suffix(".yml"): path.parent.name for path in (PROJECT / "models" / "marts").glob("*/*.sql")}
    places = models | dict.fromkeys((PROJECT / "snapshots").glob("*_snapshot.yml"), "snapshots")
    found = {}
    for path, schema in places.items():
        nodes = read_yaml(path)["models" if path in models else "snapshots"] if path.exists() else []
        node = next((node for node in nodes if node["name"] == path.stem), None)
        if node is None:
            raise StepFailed(f"{path.relative_to(PROJECT)} has to describe {path.stem}: each mart has a yml file")
        found[f"{schema}.{path.stem}"] = node
    return found


def _describe(relation: str, node: dict[str, Any], docs: dict[str, str], relations: dict[str, str]) -> Mart:
    """Read a mart's key from its uniqueness test, and its totals from `config.meta.totals`."""
    keys = [(tuple(test["columns"]), test) for name, test in _tests(node) if name == "is_unique_combination"]
    keys += [
        ((column["name"],), test) for column in node["columns"] for name, test in _tests(column) if name == "unique"
    ]
    key, test = keys[0] if keys else ((), {"config": {}})
    return Mart(
        relation,
        key,
        tuple(node.get("config", {}).get("meta", {}).get("totals", [])),
        "config" not in test,
        _text(node, docs),
        tuple(_column(column, docs, relations) for column in node["columns"]),
    )


def _column(column: dict[str, Any], docs: dict[str, str], relations: dict[str, str]) -> Column:
    tests = _tests(column)
    rules = {name: test for name, test in tests if "config" not in test}
    kinds = {constraint["type"] for constraint in column.get("constraints", [])}
    parents = (_REF.fullmatch(test["to"]) for name, test in tests if name == "relationships")
    marts = [relations[parent[1]] for parent in parents if parent and parent[1] in relations]
    return Column(
        column["name"],
        _text(column, docs),
        "not_null" in kinds | rules.keys(),
        marts[0] if marts else None,
        column.get("data_type"),
        rules,
    )


def _tests(node: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the names of a node's or column's tests, with their arguments and their `config`."""
    tests = (test if isinstance(test, dict) else {test: {}} for test in node.get("data_tests", []))
    found = [(name, settings or {}) for test in tests for name, settings in test.items()]
    return [(name, settings | settings.get("arguments", {})) for name, settings in found]


def _text(node: dict[str, Any], docs: dict[str, str]) -> str:
    """Return a description on one line, with its doc blocks."""
    return " ".join(_DOC.sub(lambda doc: docs[doc[1]], node.get("description", "")).split())
