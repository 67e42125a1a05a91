"""A source that is the lists of a JSON API, whose fields become columns."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self
from urllib.parse import urlsplit

import pyarrow as pa

from ingestion.errors import BadRequest, Refused
from ingestion.landing import Landing, Manifest
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.sources.api import ApiReading, Field, Shape
from ingestion.sources.api.settings import check_api_url, configured_url, read_api_settings
from ingestion.sources.base import Source
from ingestion.sources.duckdb_types import duckdb_types
from ingestion.sources.looking import Looked, LookedTable, check_names, look_at_table

_TYPES = ("integer", "text", "boolean", "number")
_FOUND = {
    frozenset({int}): "integer", frozenset({str}): "text", frozenset({bool}): "boolean",
    frozenset({float}): "number", frozenset({int, float}): "number",
}  # fmt: skip


@dataclass(frozen=True)
class ApiSource(Source):
    """The API at `sources.<name>.base_url`, its sample, or instead the answers of a landed day."""

    kept: Manifest | None = None

    def __post_init__(self) -> None:
        columns = self.settings.entries.get("columns")
        tables = list(columns.values()) if isinstance(columns, dict) else []
        if not tables or not all(isinstance(table, dict) and set(table.values()) <= set(_TYPES) for table in tables):
            expected = f"expected columns of each list, each with a type: {', '.join(_TYPES)}"
            raise BadRequest(f"{self.settings.section}: {expected}")

    @property
    def place(self) -> str | None:
        return configured_url(self.name)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The lists' columns and keys; a row without its key or a field in `required` is a reject."""
        shapes, required = {}, self.settings.entries.get("required", ())
        for table, columns in self.settings.entries["columns"].items():
            totals = self.control_totals.get(table)
            if totals is None:
                raise BadRequest(f"{self.settings.section}: no table in models/staging describes {table}")
            key = (totals.key,) if isinstance(totals.key, str) else totals.key
            fields = [Field(path, type_) for path, type_ in columns.items()]
            fields = [replace(one, required=one.column in key or one.path in required) for one in fields]
            if missing := [name for name in key if name not in [one.column for one in fields]]:
                raise BadRequest(f"{self.settings.section}: {table} has no field for its key {', '.join(missing)}")
            shapes[table] = Shape(tuple(fields), key)
        return shapes

    def declared_schemas(self) -> dict[str, pa.Schema]:
        return {table: shape.schema for table, shape in self.shapes.items()}

    def is_sample(self, home: Home) -> bool:
        return self.kept.is_sample if self.kept else super().is_sample(home)

    def reading_kept(self, home: Home, run_date: str) -> Self:
        """Return this source reading a landed day's answers instead of the API; raises Refused when there are none."""
        manifest = Landing(home).answers(self.name, run_date)
        if manifest is None:
            raise Refused(
                "no answers of the API have landed on this day",
                f"tradewinds extract --run-date {run_date} --source {self.name}",
            )
        return replace(self, kept=manifest)

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path, before: Manifest | None = None) -> Iterator[ApiReading]:
        from ingestion.sources.api.pages import ApiPages, KeptPages  # imports dlt, which takes a second

        with ExitStack() as stack:
            if self.kept:
                files = stack.enter_context(Landing(home).local(self.name, run_date, self.kept.answers))
                yield ApiReading(self.shapes, KeptPages(list(zip(self.kept.answers, files, strict=True))))
                return
            settings = read_api_settings(self.name, stack.enter_context(self.located(home)))
            folder = work / "answers"
            folder.mkdir()
            writer = stack.enter_context(ThreadPoolExecutor(max_workers=1))
            yield ApiReading(self.shapes, ApiPages(settings, folder, writer, is_sample=self.is_sample(home)))


def look_at_api(name: str, *, base_url: str, resource: list[str]) -> Looked:
    """Read an API's lists once; raises BadRequest when one can't be a table, StepFailed when it can't be read."""
    check_api_url(base_url, "--base-url")
    if urlsplit(base_url).username is not None:
        raise BadRequest(f"--base-url would be kept with a password; set SOURCES__{name.upper()}__API_KEY in its place")
    check_names("the API", dict.fromkeys(resource, ()))
    tables, columns, notes = [], {}, []
    for one in resource:
        rows = list(_read(name, base_url, one))
        columns[one], left_out = _infer(rows)
        if not columns[one]:
            raise BadRequest(f"{one} has no rows with fields, so its columns are unknown")
        if left_out:
            notes.append(f"{one}: fields with mixed or nested values become no columns: {', '.join(left_out)}")
        tables.append(_look_at_table(one, rows, columns[one]))
    settings: dict[str, Any] = {"base_url": base_url, "max_rejected_share": 0.9, "columns": columns}
    return Looked(title="A list of a JSON API", origin="API", tables=tables, settings=settings, notes=notes)


def _read(name: str, base_url: str, resource: str) -> Iterator[dict]:
    from ingestion.sources.api.pages import ApiPages  # it imports dlt, which takes a second

    with TemporaryDirectory() as folder, ThreadPoolExecutor(max_workers=1) as writer:
        pages = ApiPages(read_api_settings(name, base_url), Path(folder), writer, is_sample=False)
        for page in pages.of(resource):
            yield from (row for row in page.rows if isinstance(row, dict))


def _infer(rows: list[dict]) -> tuple[dict[str, str], list[str]]:
    """Return the fields' types by path, and the fields that can't be columns."""
    found: dict[str, set[type]] = {}
    for row in rows:
        for path, value in _flatten(row):
            found.setdefault(path, set()).update([] if value is None else [type(value)])
    types: dict[str, str] = {}
    left_out: list[str] = []
    taken: set[str] = set()
    for path, kinds in found.items():
        column = Field(path, "text").column.lower()
        if frozenset(kinds) in _FOUND and re.fullmatch(r"\w+", column) and column not in taken | {"_run_date"}:
            types[path] = _FOUND[frozenset(kinds)]
            taken.add(column)
        else:
            left_out.append(path)
    return types, left_out


def _flatten(row: dict, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        # A dot would be taken for an object's.
        path = f"{prefix}{name}".replace(".", "?") if "." in name else f"{prefix}{name}"
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{path}.")
        else:
            yield path, value


def _look_at_table(table: str, rows: list[dict], types: dict[str, str]) -> LookedTable:
    shape = Shape(tuple(Field(path, type_) for path, type_ in types.items()))
    columns = duckdb_types(shape.schema)
    ids_first = dict(sorted(columns.items(), key=lambda column: column[0] != "id"))
    judged = [values for values, rule in map(shape.judge, rows) if rule is None]
    with open_session() as session:
        session.register("looked", pa.Table.from_pylist(judged, schema=shape.schema))
        found = look_at_table(table, ids_first, lambda query: session.execute(query).fetchall()[0], "looked")
    return replace(found, columns=columns)
