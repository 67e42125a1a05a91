"""A new source: looked at, described, and written into the project as a whole or not at all."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from ingestion.errors import BadRequest
from ingestion.settings import PROJECT
from ingestion.source_settings import is_source_name
from ingestion.sources import SOURCES
from ingestion.sources.api_source import look_at_api
from ingestion.sources.csv_source import look_at_csv
from ingestion.sources.dlt_source import look_at_dlt
from ingestion.sources.looking import Looked
from ingestion.sources.postgres_source import look_at_postgres
from pipeline.own_sources import files
from pipeline.own_sources.whole import held_alone, write_whole

_DEPENDS = "-- depends_on: "


@dataclass(frozen=True)
class _Kind:
    """How a source of a kind is inspected, and with which options."""

    look: Callable[..., Looked]
    needed: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


_KINDS = {
    "csv": _Kind(look_at_csv, needed=("path",)),
    "postgres": _Kind(look_at_postgres, taken=("url", "schema", "table")),
    "dlt": _Kind(look_at_dlt, needed=("resource",)),
    "api": _Kind(look_at_api, needed=("base_url", "resource")),
}


def add_source(name: str, kind: str, options: dict[str, Any], since: str) -> tuple[list[str], Looked]:
    """Write the files that make something a source; return their paths in the project, and the source's description.

    `options` are the kind's options by name. Raises BadRequest when the name, the options or the source can't be used,
    StepFailed when the source can't be reached or a file can't be written. Both leave the project unchanged.
    """
    _check_name(name)
    _check_options(kind, options)
    looked = _KINDS[kind].look(name, **options)
    with held_alone(PROJECT):
        _check_name(name)  # another command may have taken it meanwhile
        texts = _texts(name, kind, date.fromisoformat(since), looked)
        write_whole(PROJECT, texts, last=files.SETTINGS, secret=files.SECRETS)
    return list(texts), looked


def _texts(name: str, kind: str, since: date, looked: Looked) -> dict[str, str]:
    """Return the text of each file that is new or changes, by its path in the project."""
    settings = {"kind": kind, "since": since, **looked.settings}
    texts = {files.SETTINGS: _with_settings(files.SETTINGS, files.section_of(name, settings))}
    if looked.secrets:
        texts[files.SECRETS] = _with_settings(files.SECRETS, files.section_of(name, looked.secrets))
    tables = files.describe_tables(name, looked)
    texts |= files.new_files(name, since, looked, tables)
    for model, call in files.CATALOGUE_MODELS.items():
        texts[model] = _with_dependencies(model, [call.format(name, table.name, table.model) for table in tables])
    return texts | {files.OVERVIEW: _with_schema(name)}


def _check_options(kind: str, options: dict[str, Any]) -> None:
    needed, taken = _KINDS[kind].needed, _KINDS[kind].taken
    missing = [name for name in needed if name not in options]
    other = [name for name in options if name not in (*needed, *taken)]
    for verb, names in (("needs", missing), ("takes no", other)):
        if names:
            typed = ", ".join(f"--{name.replace('_', '-')}" for name in names)
            raise BadRequest(f"--kind {kind} {verb} {typed}")


def _check_name(name: str) -> None:
    if not is_source_name(name):
        raise BadRequest(f"{name!r} is no name of a source: expected lower-case letters, digits, single underscores")
    schemas = {source.raw_schema for source in SOURCES.values()} | {"raw_ops"}
    places = [PROJECT / "models" / "staging" / name, PROJECT / "tests" / "expectations" / "arrivals" / f"{name}.yml"]
    if name in SOURCES or f"raw_{name}" in schemas or any(place.exists() for place in places):
        raise BadRequest(f"the name {name} is taken")


def _with_settings(file: str, added: str) -> str:
    path = PROJECT / file
    text = (path.read_text(encoding="utf-8") if path.exists() else "") + added
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRequest(f"the source can't be added to {file}: {error}") from error
    return text


def _with_dependencies(model: str, calls: list[str]) -> str:
    """Return a model's text with more dependency lines, because dbt can't derive them from the catalogue."""
    lines = (PROJECT / model).read_text(encoding="utf-8").splitlines(keepends=True)
    last = max((number for number, line in enumerate(lines) if line.startswith(_DEPENDS)), default=-1)
    return "".join([*lines[: last + 1], *(f"{_DEPENDS}{call}\n" for call in calls), *lines[last + 1 :]])


def _with_schema(name: str) -> str:
    """Return the overview page of dbt's documentation with the raw schema added."""
    lines = (PROJECT / files.OVERVIEW).read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(
        f"{line.rstrip().removesuffix(' |')}, `raw_{name}` |\n" if line.startswith("| raw |") else line
        for line in lines
    )
