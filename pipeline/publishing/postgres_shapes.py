"""Bring a Postgres table to a shape: NOT NULL, keys and comments. A table that has it already isn't locked."""

from dataclasses import replace

import psycopg

from ingestion.sql import literal, quote
from pipeline.dbt.project import Mart
from pipeline.publishing import postgres_copies as copies
from pipeline.publishing.declarations import Shape, additions, place, shape_of

_COLUMNS = """
select coalesce(attname, ''), coalesce(attnotnull, false), description
from (
    select attnum, attname, attnotnull from pg_attribute
    where attrelid = to_regclass(%(table)s) and attnum > 0 and not attisdropped
    union all
    select 0, null, null
) as columns
left join pg_description on objoid = to_regclass(%(table)s) and classoid = 'pg_class'::regclass and objsubid = attnum
"""
_KEYS = """
select
    conname,
    case contype when 'p' then 'primary key' else 'unique' end,
    (select array_agg(attname::text order by position)
     from unnest(conkey) with ordinality as key (attnum, position)
     inner join pg_attribute on attrelid = conrelid and pg_attribute.attnum = key.attnum)
from pg_constraint
where contype in ('p', 'u') and conrelid = to_regclass(%s)
"""


def read_shape(connection: psycopg.Connection, table: tuple[str, str]) -> Shape:
    """Return a table's shape."""
    found = connection.execute(_COLUMNS, {"table": copies.name(table)}).fetchall()
    return Shape(
        frozenset(column for column, is_required, _ in found if is_required),
        frozenset(_keys(connection, table)),
        frozenset((column, text) for column, _, text in found if text is not None),
    )


def declare(connection: psycopg.Connection, mart: Mart, table: tuple[str, str]) -> None:
    """Add what the project declares of a mart to a table with its rows; a key that the table has stays."""
    there, wanted = read_shape(connection, table), shape_of(mart)
    has_primary_key = any(kind == "primary key" for kind, _ in there.keys)
    keys = {("unique" if has_primary_key else kind, key) for kind, key in wanted.keys - there.keys}
    _add(connection, table, replace(wanted, keys=frozenset(keys)), there)


def loosen(connection: psycopg.Connection, table: tuple[str, str], wanted: Shape) -> None:
    """Take from a table what the wanted shape lacks; no foreign key may refer to a key that goes."""
    there, name = read_shape(connection, table), copies.name(table)
    for key, constraint in _keys(connection, table).items():
        if key not in wanted.keys:
            connection.execute(f"alter table {name} drop constraint {quote(constraint)}")
    for column in sorted(there.required - wanted.required):
        connection.execute(f"alter table {name} alter column {quote(column)} drop not null")
    for column in sorted({column for column, _ in there.comments} - {column for column, _ in wanted.comments}):
        connection.execute(f"comment on {place(name, column)} is null")


def tighten(connection: psycopg.Connection, table: tuple[str, str], wanted: Shape) -> None:
    """Add to a table what it lacks of the wanted shape, once its rows are in place."""
    _add(connection, table, wanted, read_shape(connection, table))


def comment_on(connection: psycopg.Connection, table: str, text: str | None) -> None:
    """Replace a table's comment."""
    connection.execute(f"comment on table {table} is {literal(text) if text else 'null'}")


def comment_of(connection: psycopg.Connection, table: str) -> str | None:
    """Return a table's comment, None if it has none."""
    return connection.execute("select obj_description(to_regclass(%s), 'pg_class')", [table]).fetchall()[0][0]


def _add(connection: psycopg.Connection, table: tuple[str, str], wanted: Shape, there: Shape) -> None:
    if statements := additions(copies.name(table), wanted, there):
        connection.execute("; ".join(statements))


def _keys(connection: psycopg.Connection, table: tuple[str, str]) -> dict[tuple[str, tuple[str, ...]], str]:
    found = connection.execute(_KEYS, [copies.name(table)]).fetchall()
    return {(kind, tuple(key)): constraint for constraint, kind, key in found}
