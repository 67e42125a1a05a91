"""The YAML files of a new source: descriptions of its tables and of its staging models."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

# As Postgres has them, too.
_CASTS = {"DOUBLE": "double precision", "FLOAT": "real", "BLOB": "bytea"}
_WORDS = {"numbers": "a number", "booleans": "true or false", "dates": "a date", "timestamps": "a time", "ids": "an id"}
_RUN_DATE = "description: '{{ doc(\"run_date_column\") }}'"


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
    def _word(self) -> str:
        return "bytes" if self.type == "BLOB" else _WORDS.get(self.kind, "text")

    @property
    def description(self) -> str:
        return quoted(f"{self.name} as the {self.origin} has it, {self._word}.")


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


def sources_yml(name: str, since: date, title: str, tables: list[Table]) -> str:
    """Return the description of a source and its tables, with what the catalogue says of each."""
    lines = [
        "version: 2",
        "",
        "sources:",
        f"  - name: {name}",
        f"    description: {title}. Every run date from {since} on is a full copy of it.",
        f"    schema: raw_{name}",
        "    tables:",
    ]
    for table in tables:
        lines += [
            f"      - name: {table.name}",
            f"        description: One row per {table.grain} and run date.",
            "        config:",
            f"          tags: [{name}]",
            "          meta:",
            *(f"            {line}" for line in _meta(name, table)),
            "        columns:",
        ]
        for column in table.columns:
            lines += [
                f"          - name: {quoted(column.name) if column.is_quoted else column.name}",
                f"            description: {column.description}",
                f"            data_type: {column.type.lower()}",
            ]
        lines += ["          - name: _run_date", f"            {_RUN_DATE}"]
    return "\n".join([*lines, ""])


def staging_yml(table: Table, origin: str) -> str:
    """Return the description of a table's staging model, with the tests of its key."""
    lines = [
        "version: 2",
        "",
        "models:",
        f"  - name: {table.model}",
        f"    description: One row per {table.grain} in the {origin} on the run date.",
    ]
    if len(table.key) > 1:
        columns = f"{{columns: [{', '.join(column.staged for column in table.key)}]}}"
        lines += ["    data_tests:", "      - is_unique_combination:", f"          arguments: {columns}"]
    lines.append("    columns:")
    for column in table.columns:
        lines += [f"      - name: {column.staged}", f"        description: {column.description}"]
        if column in table.key:
            tests = ["unique", "not_null"] if len(table.key) == 1 else ["not_null"]
            lines += ["        data_tests:", *(f"          - {test}" for test in tests)]
    lines += ["      - name: _run_date", f"        {_RUN_DATE}"]
    return "\n".join([*lines, ""])


def quoted(value: Any) -> str:
    """Return a text, a number or a list of texts as TOML and YAML have it."""
    return json.dumps(value, ensure_ascii=False)


def _meta(name: str, table: Table) -> list[str]:
    lines = ["# A guess: the first column that is filled and different in every row."] if table.is_guess else []
    lines.append(f"key: [{', '.join(column.name for column in table.key)}]")
    if len(table.key) > 1 or table.key[0].type == "VARCHAR":
        lines.append("key_as: text")
    if renamed := [f"{column.name}: {column.staged}" for column in table.key if column.staged != column.name]:
        lines.append(f"renamed: {{{', '.join(renamed)}}}")
    if table.model != f"stg_{name}__{table.name}":
        lines.append(f"staging: {table.model}")
    return lines
