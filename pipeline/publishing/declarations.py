"""What the project proves and says of a mart, for its published table: NOT NULL, its key, and comments."""

import hashlib
from dataclasses import dataclass

from ingestion.sql import literal, quote
from pipeline.dbt.project import Mart


@dataclass(frozen=True)
class Shape:
    """A table's columns that are never NULL, its keys by kind, and its comments by column, "" for the table."""

    required: frozenset[str] = frozenset()
    keys: frozenset[tuple[str, tuple[str, ...]]] = frozenset()
    comments: frozenset[tuple[str, str]] = frozenset()


def shape_of(mart: Mart) -> Shape:
    """Return the shape that the project declares for a mart."""
    texts = {"": mart.description} | {column.name: column.description for column in mart.columns}
    return Shape(
        frozenset(column.name for column in mart.columns if column.is_required),
        frozenset([mart.proven_key] if mart.proven_key else []),
        frozenset((column, text) for column, text in texts.items() if text),
    )


def additions(table: str, wanted: Shape, there: Shape | None = None) -> list[str]:
    """Return the statements that give a table all that it lacks; the same for DuckDB and Postgres."""
    there = there or Shape()
    required, keys = sorted(wanted.required - there.required), sorted(wanted.keys - there.keys)
    texts = sorted(wanted.comments - there.comments)
    return [
        *(f"alter table {table} alter column {quote(column)} set not null" for column in required),
        *(f"alter table {table} add {kind} ({listed(key)})" for kind, key in keys),
        *(f"comment on {place(table, column)} is {literal(text)}" for column, text in texts),
    ]


def place(table: str, column: str) -> str:
    """Return what a comment is on: the table, or its column."""
    return f"column {table}.{quote(column)}" if column else f"table {table}"


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Return quoted names with commas."""
    return ", ".join(map(quote, names))


def version_comment(marts: list[Mart]) -> str:
    """Return the comment of the version's table: it changes with any description or key of the marts."""
    return f"The published version. Descriptions and keys: {hashlib.sha256(repr(marts).encode()).hexdigest()[:12]}"
