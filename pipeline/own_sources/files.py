"""The files of a new source: settings, descriptions of its tables, staging models, suite of arrivals."""

import re
import unicodedata
from datetime import date
from functools import cache
from typing import Any

from ingestion.session import open_scratch
from ingestion.sources.own import Looked, LookedTable
from pipeline.own_sources.yml import Column, Table, quoted, sources_yml, staging_yml

CATALOGUE_MODELS = {
    "models/intermediate/int_staging_totals.sql": "{{{{ ref('{2}') }}}}",
    "models/staging/ops/stg_ops__raw_totals.sql": "{{{{ source('{0}', '{1}') }}}}",
}
SETTINGS, SECRETS = ".dlt/config.toml", ".dlt/secrets.toml"
OVERVIEW = "models/_overview.md"
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
# Not DuckDB keywords, but confusing as names.
_TYPE_NAMES = {"date", "timestamp", "value"}
_KINDS = {
    "VARCHAR": "text", "BLOB": "text", "BOOLEAN": "booleans", "DATE": "dates", "TIME": "timestamps",
    "TIMESTAMP": "timestamps", "TIMESTAMP WITH TIME ZONE": "timestamps",
}  # fmt: skip


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
    folder = f"models/staging/{name}"
    files = {f"{folder}/_{name}__sources.yml": sources_yml(name, since, looked.title, tables)}
    for table in tables:
        files[f"{folder}/{table.model}.sql"] = _staging_sql(name, table)
        files[f"{folder}/{table.model}.yml"] = staging_yml(table, looked.origin)
    return files | {f"tests/expectations/arrivals/{name}.yml": _suite_yml(name)}


def settings_of(name: str, kind: str, since: date, entries: dict[str, Any]) -> str:
    """Return a source's part of the settings, as TOML."""
    return section_of(name, {"kind": kind, "since": since, **entries})


def section_of(section: str, entries: dict[str, Any]) -> str:
    """Return a section of the sources' settings as TOML; an entry that is a mapping becomes one of its own."""
    plain = {entry: value for entry, value in entries.items() if not isinstance(value, dict)}
    lines = ["", f"[sources.{section}]", *(f"{_toml_key(entry)} = {_toml(value)}" for entry, value in plain.items())]
    inner = [section_of(f"{section}.{entry}", entries[entry]) for entry in entries if entry not in plain]
    return "".join(["\n".join([*lines, ""]) if plain else "", *inner])


def _toml_key(entry: str) -> str:
    return entry if re.fullmatch(r"\w+", entry, re.ASCII) else quoted(entry)


def _toml(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else quoted(value)


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
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(free for free in names if free not in taken)


def _staging_sql(name: str, table: Table) -> str:
    groups = []
    for kind in ("ids", "text", "numbers", "booleans", "dates", "timestamps"):
        casts = [f"        {column.cast},\n" for column in table.columns if column.kind == kind]
        if casts:
            groups.append(f"        -- {kind}\n{''.join(casts)}")
    groups.append("        -- plumbing\n        cast(_run_date as date) as _run_date\n")
    return f"""with source as (
    select *
    from {{{{ source('{name}', '{table.name}') }}}}
    where _run_date = {{{{ run_date() }}}}
),

renamed as (
    select
{chr(10).join(groups)}    from source
)

select * from renamed
"""


def _suite_yml(name: str) -> str:
    return f"""# Expectations for the arrivals of {name}. Those of every_source.yml apply, too.
sources: [{name}]
expectations: []
"""
