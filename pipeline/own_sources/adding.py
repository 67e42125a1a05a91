"""Add a CSV source: read the file, describe it, and write the project's files, all or none."""

import tomllib
from datetime import date
from pathlib import Path

from ingestion.errors import BadRequest, StepFailed
from ingestion.own_sources import is_source_name
from ingestion.redact import one_line
from ingestion.settings import PROJECT
from ingestion.sources import SOURCES
from ingestion.sources.csv_sniffing import Sniffed, sniff
from pipeline.own_sources.files import CATALOGUE_MODELS, OVERVIEW, SETTINGS, new_files, settings_of

_DEPENDS = "-- depends_on: "


def add_csv(name: str, path: Path, since: str) -> tuple[list[str], Sniffed]:
    """Write the files that make a CSV file a source; return their paths in the project, and the file's description.

    Raises BadRequest when the name or the file can't be used, StepFailed when a file can't be written. Both leave the
    project unchanged.
    """
    _check_name(name)
    path = path.expanduser().resolve()
    if not path.is_file():
        raise BadRequest(f"{path} can't be read: no such file")
    sniffed, first_day = sniff(path), date.fromisoformat(since)
    texts = {SETTINGS: _with_settings(settings_of(name, path, first_day, sniffed))}
    texts |= new_files(name, first_day, sniffed)
    for model, call in CATALOGUE_MODELS.items():
        texts[model] = _with_dependency(model, call.format(name))
    texts[OVERVIEW] = _with_schema(name)
    _write(texts)
    return list(texts), sniffed


def _check_name(name: str) -> None:
    if not is_source_name(name):
        raise BadRequest(f"{name!r} is no name of a source: expected lower-case letters, digits, single underscores")
    schemas = {source.raw_schema for source in SOURCES.values()} | {"raw_ops"}
    places = [PROJECT / "models" / "staging" / name, PROJECT / "tests" / "expectations" / "arrivals" / f"{name}.yml"]
    if name in SOURCES or f"raw_{name}" in schemas or any(place.exists() for place in places):
        raise BadRequest(f"the name {name} is taken")


def _with_settings(added: str) -> str:
    text = (PROJECT / SETTINGS).read_text(encoding="utf-8") + added
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRequest(f"{SETTINGS} can't take the source in: {error}") from error
    return text


def _with_dependency(model: str, call: str) -> str:
    """Return a model's text with one more dependency line, because dbt can't derive it from the catalogue."""
    lines = (PROJECT / model).read_text(encoding="utf-8").splitlines(keepends=True)
    last = max((number for number, line in enumerate(lines) if line.startswith(_DEPENDS)), default=-1)
    return "".join([*lines[: last + 1], f"{_DEPENDS}{call}\n", *lines[last + 1 :]])


def _with_schema(name: str) -> str:
    """Return the overview page of dbt's documentation with the raw schema added."""
    lines = (PROJECT / OVERVIEW).read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(
        f"{line.rstrip().removesuffix(' |')}, `raw_{name}` |\n" if line.startswith("| raw |") else line
        for line in lines
    )


def _write(texts: dict[str, str]) -> None:
    """Write all files, or restore the old ones on failure."""
    before = {name: (PROJECT / name).read_bytes() for name in texts if (PROJECT / name).exists()}
    folders = {(PROJECT / name).parent for name in texts if not (PROJECT / name).parent.exists()}
    try:
        for name, text in texts.items():
            (PROJECT / name).parent.mkdir(parents=True, exist_ok=True)
            (PROJECT / name).write_text(text, encoding="utf-8")
    except BaseException as error:
        for name in texts:
            if name in before:
                (PROJECT / name).write_bytes(before[name])
            else:
                (PROJECT / name).unlink(missing_ok=True)
        for folder in folders:
            if folder.exists():
                folder.rmdir()
        if isinstance(error, OSError):
            raise StepFailed(f"the source can't be written: {one_line(error)}") from error
        raise
