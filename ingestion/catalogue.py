"""Read what the tables of a source mean: `config.meta` in models/staging/<name>/_<name>__sources.yml.

macros/catalogue.sql reads the same entries for the SQL; docs/architecture.md describes each of them. A table has one
tag, which names its source.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ingestion.errors import BadRequest
from ingestion.settings import PROJECT
from ingestion.totals import ControlTotals

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_ENTRIES = {
    "key", "key_as", "amount", "renamed", "has_history", "staging",
    "mart", "mart_rows", "mart_key", "mart_amount",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A source's table, its control totals, whether its history is kept, its columns, and their declared types."""

    source: str
    name: str
    control_totals: ControlTotals
    has_history: bool
    columns: tuple[str, ...] = ()
    types: dict[str, str] = field(default_factory=dict)


def tables_of(source: str) -> list[Table]:
    """Return the tables of a source; raises BadRequest when their description is missing or malformed."""
    found = [table for table in read_catalogue(PROJECT) if table.source == source]
    if not found:
        raise BadRequest(f"no table in models/staging/*/_*__sources.yml has the tag {source} and a key in config.meta")
    return found


@cache
def read_catalogue(project: Path) -> tuple[Table, ...]:
    """Return every table that a project describes; raises BadRequest naming a malformed file."""
    found: list[Table] = []
    for path in sorted(project.glob("models/staging/*/_*__sources.yml")):
        try:
            found += _read(path)
        except (OSError, yaml.YAMLError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise BadRequest(f"{path.relative_to(project)} can't be read: {reason}") from error
    return tuple(found)


def _read(path: Path) -> Iterator[Table]:
    # libyaml is ten times as fast where PyYAML has it; both loaders are safe.
    content = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    for source in _listed(_mapping(content, "the file"), "sources"):
        for table in _listed(source, "tables"):
            config = _mapping(table.get("config", {}), f"{table.get('name')}: config")
            meta = _mapping(config.get("meta", {}), f"{table.get('name')}: config.meta")
            if meta:
                try:
                    yield _describe(table, config, meta)
                except ValueError as error:
                    raise ValueError(f"table {table.get('name')}: {error}") from error


def _describe(table: dict, config: dict, meta: dict) -> Table:
    unknown = ", ".join(sorted(map(str, meta.keys() - _ENTRIES)))
    if unknown:
        raise ValueError(f"config.meta has no entry {unknown}")
    key, amount, way = _names(meta, "key"), _names(meta, "amount"), meta.get("key_as")
    if not key or way not in (None, "text", "product") or (way is None and len(key) > 1):
        raise ValueError("expected one integer column as key, or several and how they are summed: key_as text, product")
    columns = [str(one["name"]) for one in _listed(table, "columns") if one["name"] != "_run_date"]
    if columns and (missing := [name for name in (*key, *amount) if name not in columns]):
        raise ValueError(f"key and amount name a column that isn't there: {missing[0]}")
    if not isinstance(meta.get("has_history", False), bool):
        raise ValueError("expected has_history true or false")
    for entry in ("mart_key", "mart_amount"):
        _names(meta, entry)
    renamed = _mapping(meta.get("renamed", {}), "renamed")
    singles = [meta[entry] for entry in ("staging", "mart") if entry in meta]
    for name in (*renamed, *renamed.values(), *singles):
        _check_name(name)
    tags = config.get("tags")
    if not isinstance(tags, list) or len(tags) != 1:
        raise ValueError("expected one tag, the name of its source")
    return Table(
        source=_check_name(tags[0]),
        name=_check_name(table.get("name")),
        control_totals=ControlTotals(tuple(key) if way else key[0], tuple(amount), multiplied=way == "product"),
        has_history=meta.get("has_history", False),
        columns=tuple(columns),
        types={str(one["name"]): str(one["data_type"]) for one in _listed(table, "columns") if "data_type" in one},
    )


def _names(meta: dict, entry: str) -> list[str]:
    names = meta.get(entry, [])
    if not isinstance(names, list):
        raise ValueError(f"expected a list of columns as {entry}")
    return [_check_name(name) for name in names]


def _check_name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a column, table or source")
    return name


def _listed(content: dict, entry: str) -> list[dict]:
    found = content.get(entry, [])
    if not isinstance(found, list):
        raise ValueError(f"expected a list as {entry}")
    return [_mapping(one, entry) for one in found]


def _mapping(content: Any, named: str) -> dict:
    if not isinstance(content, dict):
        raise ValueError(f"expected a mapping as {named}")
    return content
