"""Imports go one way: from the command down to the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

from ingestion.settings import PROJECT

# Each imports only those before it.
LAYERS = (
    "ingestion", "people_api", "pipeline.pages", "pipeline.dbt", "pipeline.ledger", "pipeline.checks",
    "pipeline.publishing", "pipeline.people", "pipeline.run", "pipeline.own_sources", "pipeline.own_project",
    "pipeline.boards", "pipeline.site", "pipeline.slim_ci", "pipeline.cli",
)  # fmt: skip


def _layer(module: str) -> int | None:
    return next((place for place, layer in enumerate(LAYERS) if f"{module}.".startswith(f"{layer}.")), None)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from pipeline import dbt` names a layer too.
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_every_import_goes_to_a_lower_layer() -> None:
    against, seen = [], set()
    for path in (PROJECT / name for name in ("ingestion", "people_api", "pipeline")):
        for file in path.rglob("*.py"):
            module = ".".join(file.relative_to(PROJECT).with_suffix("").parts)
            seen.add(own := _layer(module))
            for imported in _imported(file):
                other = _layer(imported)
                if other is not None and (own is None or other > own) and module != "pipeline.__init__":
                    against.append(f"{module} imports {imported}")
    assert against == []
    assert seen - {None} == set(range(len(LAYERS)))
