"""The files of a new CSV source: settings, table description, staging model, suite of arrivals."""

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from ingestion.sources.csv_sniffing import Sniffed

CATALOGUE_MODELS = {
    "models/intermediate/int_staging_totals.sql": "{{{{ ref('stg_{0}__{0}') }}}}",
    "models/staging/ops/stg_ops__raw_totals.sql": "{{{{ source('{0}', '{0}') }}}}",
}
SETTINGS = ".dlt/config.toml"
OVERVIEW = "models/_overview.md"
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
# Not DuckDB keywords, but confusing as names.
_TYPE_NAMES = {"date", "timestamp", "value"}
_KINDS = {
    "VARCHAR": "text", "BIGINT": "numbers", "DOUBLE": "numbers", "BOOLEAN": "booleans", "DATE": "dates",
    "TIMESTAMP": "timestamps",
}  # fmt: skip
_WORDS = {"numbers": "a number", "booleans": "true or false", "dates": "a date", "timestamps": "a time", "ids": "an id"}


@dataclass(frozen=True)
class Column:
    """A column of the file, its name in staging, and its group of columns there."""

    name: str
    type: str
    staged: str
    kind: str
    is_quoted: bool

    @property
    def cast(self) -> str:
        """Its expression in the staging model."""
        name = f'"{self.name}"' if self.is_quoted else self.name
        type_ = "double precision" if self.type == "DOUBLE" else self.type.lower()
        return f"cast({name} as {type_}) as {self.staged}"

    @property
    def description(self) -> str:
        return json.dumps(f"{self.name} as the file has it, {_WORDS.get(self.kind, 'text')}.", ensure_ascii=False)


def new_files(name: str, since: date, sniffed: Sniffed) -> dict[str, str]:
    """Return the text of each new file of a source by its path in the project."""
    columns = _describe_columns(name, sniffed)
    folder = f"models/staging/{name}"
    return {
        f"{folder}/_{name}__sources.yml": _sources_yml(name, since, sniffed, columns),
        f"{folder}/stg_{name}__{name}.sql": _staging_sql(name, columns),
        f"{folder}/stg_{name}__{name}.yml": _staging_yml(name, sniffed, columns),
        f"tests/expectations/arrivals/{name}.yml": _suite_yml(name),
    }


def settings_of(name: str, path: Path, since: date, sniffed: Sniffed) -> str:
    """Return a source's part of the settings, as TOML."""
    lines = [
        f"[sources.{name}]",
        'kind = "csv"',
        f"path = {_quoted(str(path))}",
        f"delimiter = {_quoted(sniffed.delimiter)}",
        f"since = {since.isoformat()}",
        "max_rejected_share = 0.9",
        "",
        f"[sources.{name}.columns]",
        *(f"{_quoted(column)} = {_quoted(type_)}" for column, type_ in sniffed.columns.items()),
    ]
    return "\n".join(["", *lines, ""])


def _describe_columns(name: str, sniffed: Sniffed) -> list[Column]:
    query = "select keyword_name, keyword_category = 'unreserved' from duckdb_keywords()"
    keywords = dict(duckdb.connect().execute(query).fetchall())
    columns: list[Column] = []
    for column, type_ in sniffed.columns.items():
        staged = _snake_case(column)
        if staged in keywords or staged in _TYPE_NAMES or not _PLAIN.fullmatch(staged):
            staged = f"{name}_{staged}".rstrip("_")
        staged = _free_name(staged, [other.staged for other in columns])
        kind = "ids" if column == sniffed.key or staged.endswith("_id") else _KINDS.get(type_, "numbers")
        is_quoted = not _PLAIN.fullmatch(column) or not keywords.get(column, True)
        columns.append(Column(column, type_, staged, kind, is_quoted))
    return columns


def _snake_case(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")


def _free_name(name: str, taken: list[str]) -> str:
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(free for free in names if free not in taken)


def _key(sniffed: Sniffed, columns: list[Column]) -> Column:
    return next(column for column in columns if column.name == sniffed.key)


def _sources_yml(name: str, since: date, sniffed: Sniffed, columns: list[Column]) -> str:
    key = _key(sniffed, columns)
    meta = ["# A guess: the first column that is filled and different in every row.", f"key: [{key.name}]"]
    if key.type != "BIGINT":
        meta.append("key_as: text")
    if key.staged != key.name:
        meta.append(f"renamed: {{{key.name}: {key.staged}}}")
    described = [(_quoted(column.name) if column.is_quoted else column.name, column) for column in columns]
    lines = [
        "version: 2",
        "",
        "sources:",
        f"  - name: {name}",
        f"    description: A CSV file. Every run date from {since} on is a full copy of it.",
        f"    schema: raw_{name}",
        "    tables:",
        f"      - name: {name}",
        f"        description: One row per {key.staged} and run date.",
        "        config:",
        f"          tags: [{name}]",
        "          meta:",
        *(f"            {line}" for line in meta),
        "        columns:",
        *(
            line
            for named, column in described
            for line in (f"          - name: {named}", f"            description: {column.description}")
        ),
        "          - name: _run_date",
        "            description: '{{ doc(\"run_date_column\") }}'",
    ]
    return "\n".join([*lines, ""])


def _staging_sql(name: str, columns: list[Column]) -> str:
    groups = []
    for kind in ("ids", "text", "numbers", "booleans", "dates", "timestamps"):
        casts = [f"        {column.cast},\n" for column in columns if column.kind == kind]
        if casts:
            groups.append(f"        -- {kind}\n{''.join(casts)}")
    groups.append("        -- plumbing\n        cast(_run_date as date) as _run_date\n")
    return f"""with source as (
    select *
    from {{{{ source('{name}', '{name}') }}}}
    where _run_date = {{{{ run_date() }}}}
),

renamed as (
    select
{chr(10).join(groups)}    from source
)

select * from renamed
"""


def _staging_yml(name: str, sniffed: Sniffed, columns: list[Column]) -> str:
    key = _key(sniffed, columns)
    lines = [
        "version: 2",
        "",
        "models:",
        f"  - name: stg_{name}__{name}",
        f"    description: One row per {key.staged} in the file on the run date.",
        "    columns:",
    ]
    for column in columns:
        lines += [f"      - name: {column.staged}", f"        description: {column.description}"]
        if column is key:
            lines += ["        data_tests:", "          - unique", "          - not_null"]
    lines += ["      - name: _run_date", "        description: '{{ doc(\"run_date_column\") }}'"]
    return "\n".join([*lines, ""])


def _suite_yml(name: str) -> str:
    return f"""# {name} as it arrives; what must hold of the tables of every source is checked of it, too.
sources: [{name}]
expectations: []
"""


def _quoted(text: str) -> str:
    """Return a text as a string for TOML and YAML."""
    return json.dumps(text, ensure_ascii=False)
