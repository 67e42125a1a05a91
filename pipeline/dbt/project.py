"""Read the dbt project's folders: the published marts, and the exports declared as exposures."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ingestion.settings import PROJECT

# Describes runs and differs between them, so it is published but isn't part of a version's hash.
OPERATIONS_SCHEMA = "ops"


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
    models = (PROJECT / "models" / "marts").glob("*/*.sql")
    marts = [_describe(path.parent.name, path.with_suffix(".yml"), "models") for path in models]
    snapshots = (PROJECT / "snapshots").glob("*_snapshot.yml")
    marts += [_describe("snapshots", path, "snapshots") for path in snapshots]
    return sorted(marts, key=lambda mart: mart.relation)


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


def _describe(schema: str, path: Path, kind: str) -> Mart:
    """Read a mart's key from its uniqueness test, and its totals from `config.meta.totals`."""
    (node,) = (node for node in read_yaml(path)[kind] if node["name"] == path.stem)
    tests = [test for test in node.get("data_tests", []) if isinstance(test, dict)]
    keys = [test["is_unique_combination"]["arguments"]["columns"] for test in tests if "is_unique_combination" in test]
    keys += [[column["name"]] for column in node["columns"] if "unique" in column.get("data_tests", [])]
    totals = node.get("config", {}).get("meta", {}).get("totals", [])
    return Mart(f"{schema}.{path.stem}", tuple(keys[0]) if keys else (), tuple(totals))
