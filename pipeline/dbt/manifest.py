"""The parsed dbt project: cached between commands, because a parse takes longer than most models, and selected from."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

from ingestion.errors import StepFailed
from ingestion.redact import redact
from ingestion.settings import PROJECT, Home

_KEPT = PROJECT / "target" / "parsed"
# How many parses are kept, of 2 MB each: those used last.
_MOST_KEPT = 16
# The files and folders that a parse reads; dbt_project.yml names the folders.
_FILES = ("dbt_project.yml", "profiles.yml")
_FOLDERS = ("models", "macros", "seeds", "snapshots", "tests/data")
# The variable that determines names in the profile; dbt itself records the others that the project reads.
_NAMING = "TRADEWINDS_POSTGRES_DATABASE"
# Lines about dbt's files around the relevant line.
_DBT_ONLY = ("> in macro", "> called by", "compiled code at", "Compilation Error in operation")
# The tag of models that compare or count all sources.
_ACROSS_SOURCES = "across_sources"


def parsed_project(target: str, home: Home, variables: dict[str, str], places: list[str]) -> Any:
    """Return the project's manifest, from an earlier parse of the same files if there is one.

    dbt discards its own cache when a variable or the home changes, although neither changes a model. Raises StepFailed
    when the project can't be parsed; a failure to write the cache is ignored.
    """
    kept = _KEPT / f"{_key(target, variables)}.msgpack"
    manifest = _read(kept)
    if manifest is None:
        manifest = _parse(home, variables, places)
        _keep(kept, manifest)
    return manifest


def nodes_of_sources(manifest: Any, sources: list[str]) -> list[str]:
    """Return the names of all models and snapshots that depend on these sources, and of their ancestors.

    dbt's `@tag:<source>` would include every other source through the models that compare all of them.
    """
    manifest.build_parent_and_child_maps()
    tagged = {id_ for id_, table in manifest.sources.items() if set(table.config.tags) & set(sources)}
    across = {id_ for id_, node in manifest.nodes.items() if _ACROSS_SOURCES in node.tags}
    descendants = _reachable(tagged, manifest.child_map) - across
    found = _reachable(descendants, manifest.parent_map) & manifest.nodes.keys()
    nodes = [manifest.nodes[id_] for id_ in found]
    return sorted(node.name for node in nodes if node.resource_type in ("model", "seed", "snapshot"))


def shown_message(text: object) -> str:
    """Return dbt's message as one line, without headings and file hints."""
    lines = [line.strip() for line in str(text).splitlines()]
    kept = [line for line in lines if line and not line.startswith(_DBT_ONLY)]
    return redact(" ".join(kept))


def kept_beside(target: str, suffix: str) -> Path:
    """Return the path of a file that is derived from the target's parse, and kept as long."""
    return _KEPT / f"{_key(target, {})}{suffix}"


def _key(target: str, variables: dict[str, str]) -> str:
    from dbt.version import __version__

    named = [__version__, target, variables, os.environ.get(_NAMING)]
    digest = hashlib.sha256(json.dumps(named).encode())
    folders = (path for folder in _FOLDERS for path in sorted((PROJECT / folder).rglob("*")) if path.is_file())
    for path in (*(PROJECT / name for name in _FILES), *folders):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT)} {len(content)} ".encode() + content)
    return digest.hexdigest()


def _parse(home: Home, variables: dict[str, str], places: list[str]) -> Any:
    from dbt.cli.main import dbtRunner

    home.warehouse.mkdir(parents=True, exist_ok=True)
    # dbt creates its log folder even if it writes nothing, and the project's may be read-only.
    silent = ["--log-level", "none", "--log-level-file", "none", "--log-path", str(home.runs)]
    words = ["--vars", json.dumps(variables), "--no-partial-parse"] if variables else []
    outcome = dbtRunner().invoke([*silent, "parse", *places, *words])
    if not outcome.success:
        raise StepFailed(f"dbt: {shown_message(outcome.exception)}")
    return outcome.result


def _read(path: Path) -> Any | None:
    """Return a cached manifest, None if it is missing, unreadable, or from another environment."""
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    try:
        manifest = Manifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
        path.touch()
    except Exception:  # a new parse replaces it
        return None
    is_same = all(os.environ.get(name) == value for name, value in manifest.env_vars.items())
    return manifest if is_same else None


def _keep(path: Path, manifest: Any) -> None:
    from dbt.parser.manifest import extended_mashumaro_encoder

    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(manifest.to_msgpack(extended_mashumaro_encoder))
        draft.replace(path)
        for older in sorted(path.parent.glob("*.msgpack"), key=lambda file: file.stat().st_mtime)[:-_MOST_KEPT]:
            for file in path.parent.glob(f"{older.stem}.*"):
                file.unlink(missing_ok=True)
    except OSError:
        draft.unlink(missing_ok=True)


def _reachable(start: Iterable[str], edges: dict[str, list[str]]) -> set[str]:
    """Return the reachable nodes, including the start, without paths through tests."""
    found, ahead = set(), list(start)
    while ahead:
        id_ = ahead.pop()
        if id_ not in found and not id_.startswith(("test.", "unit_test.", "exposure.", "metric.", "saved_query.")):
            found.add(id_)
            ahead += edges.get(id_, [])
    return found
