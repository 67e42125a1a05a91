"""The files of a new source: settings, descriptions of its tables, staging models, suite of arrivals."""

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from ingestion.session import open_scratch
from ingestion.sources.looking import Looked, LookedTable

CATALOGUE_MODELS = {
    "models/intermediate/int_staging_totals.sql": "{{{{ ref('{2}') }}}}",
    "models/staging/ops/stg_ops__raw_totals.sql": "{{{{ source('{0}', '{1}') }}}}",
}
SETTINGS, SECRETS = ".dlt/config.toml", ".dlt/secrets.toml"
OVERVIEW = "models/_overview.md"
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
# Postgres has 63, of which a number may follow.
_NAME_LENGTH = 59
# Not DuckDB keywords, but confusing as names.
_TYPE_NAMES = {"date", "timestamp", "value"}
_KINDS = {
    "VARCHAR": "text", "BLOB": "text", "BOOLEAN": "booleans", "DATE": "dates", "TIME": "timestamps",
    "TIMESTAMP": "timestamps", "TIMESTAMP WITH TIME ZONE": "timestamps",
}  # fmt: skip
# The groups of a staging model's columns in their order, and a word for a value of each.
_WORDS = {
    "ids": "an id", "text": "text", "numbers": "a number", "booleans": "true or false", "dates": "a date",
    "timestamps": "a time",
}  # fmt: skip
# As Postgres has them, too.
_CASTS = {"DOUBLE": "double precision", "FLOAT": "real", "BLOB": "bytea"}


@dataclass(frozen=True)
class Column:
    """A source's column, its name in staging, and the group of columns that it stands in there."""

    name: str
    type: str
    staged: str
    kind: str
    is_quoted: bool
    origin: str

    @property
    def cast(self) -> str:
        """Its expression in the staging model."""
        name = f'"{self.name}"' if self.is_quoted else self.name
        return f"cast({name} as {_CASTS.get(self.type, self.type.lower())}) as {self.staged}"

    @property
    def description(self) -> str:
        word = "bytes" if self.type == "BLOB" else _WORDS[self.kind]
        return f"{self.name} as the {self.origin} has it, {word}."


@dataclass(frozen=True)
class Table:
    """A source's table, its staging model's name, its columns, and those of them that are its key."""

    name: str
    model: str
    columns: list[Column]
    key: list[Column]
    is_guess: bool

    @property
    def grain(self) -> str:
        return " and ".join(column.staged for column in self.key)

    @property
    def renamed(self) -> list[str]:
        """The key's columns with another name in staging, as YAML."""
        return [f"{column.name}: {column.staged}" for column in self.key if column.staged != column.name]


def describe_tables(name: str, looked: Looked) -> list[Table]:
    """Return the tables of a source as they are staged."""
    tables: list[Table] = []
    for table in looked.tables:
        columns = _describe_columns(name, table, looked.origin)
        key = [column for part in table.key for column in columns if column.name == part]
        model = _free_name(f"stg_{name}__{_snake_case(table.name)}", [other.model for other in tables])
        tables.append(Table(table.name, model, columns, key, table.is_guess))
    return tables


def new_files(name: str, since: date, looked: Looked, tables: list[Table]) -> dict[str, str]:
    """Return the text of each new file of a source by its path in the project."""
    folder, told = f"models/staging/{name}", {"name": name, "since": since, "title": looked.title}
    files = {f"{folder}/_{name}__sources.yml": _render("sources.yml", tables=tables, **told)}
    for table in tables:
        files[f"{folder}/{table.model}.sql"] = _render("staging.sql", name=name, table=table, kinds=_WORDS)
        files[f"{folder}/{table.model}.yml"] = _render("staging.yml", table=table, origin=looked.origin)
    return files | {f"tests/expectations/arrivals/{name}.yml": _render("arrivals.yml", name=name)}


def section_of(section: str, entries: dict[str, Any]) -> str:
    """Return a section of the sources' settings as TOML; an entry that is a mapping becomes one of its own."""
    plain = {entry: value for entry, value in entries.items() if not isinstance(value, dict)}
    lines = ["", f"[sources.{section}]", *(f"{_toml_key(entry)} = {_toml(value)}" for entry, value in plain.items())]
    inner = [section_of(f"{section}.{entry}", entries[entry]) for entry in entries if entry not in plain]
    return "".join(["\n".join([*lines, ""]) if plain else "", *inner])


def _toml_key(entry: str) -> str:
    return entry if re.fullmatch(r"\w+", entry, re.ASCII) else _quoted(entry)


def _toml(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else _quoted(value)


def _quoted(value: Any) -> str:
    """Return a text, a number or a list of texts as TOML and YAML have it."""
    return json.dumps(value, ensure_ascii=False)


def _render(template: str, **content: Any) -> str:
    return _templates().get_template(f"{template}.jinja").render(quoted=_quoted, **content)


@cache
def _templates() -> jinja2.Environment:
    """Return the templates; what they write has dbt's braces, so their own marks are `<< >>` and `<% %>`."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=False,  # noqa: S701 (no HTML)
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
    )


def _describe_columns(name: str, table: LookedTable, origin: str) -> list[Column]:
    keywords = _keywords()
    columns: list[Column] = []
    for column, type_ in table.columns.items():
        staged = _snake_case(column)
        if staged in keywords or staged in _TYPE_NAMES or not _PLAIN.fullmatch(staged):
            staged = f"{name}_{staged}".rstrip("_")
        staged = _free_name(staged, [other.staged for other in columns])
        kind = "ids" if column in table.key or staged.endswith("_id") else _KINDS.get(type_, "numbers")
        is_quoted = not _PLAIN.fullmatch(column) or not keywords.get(column, True)
        columns.append(Column(column, type_, staged, kind, is_quoted, origin))
    return columns


@cache
def _keywords() -> dict[str, bool]:
    """Return DuckDB's keywords, and whether each may be a name unquoted."""
    with open_scratch() as session:
        query = "select keyword_name, keyword_category = 'unreserved' from duckdb_keywords()"
        return dict(session.execute(query).fetchall())


def _snake_case(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")


def _free_name(name: str, taken: list[str]) -> str:
    """Return a name that no other has, and that Postgres wouldn't cut."""
    name = name[:_NAME_LENGTH].rstrip("_")
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(free for free in names if free not in taken)
