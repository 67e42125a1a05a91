"""Copy sets of marts on Postgres, including keys and indexes."""

from collections.abc import Callable

import psycopg

from ingestion.sql import quote
from pipeline.dbt.project import Mart
from pipeline.publishing.declarations import listed

# Returns a mart's schema and table in a set.
Place = Callable[[Mart], tuple[str, str]]

_COLUMNS = """
select attname, format_type(atttypid, atttypmod)
from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
order by attnum
"""

_FOREIGN_KEYS = """
select
    conname,
    (select array_agg(attname::text order by position)
     from unnest(conkey) with ordinality as key (attnum, position)
     inner join pg_attribute on attrelid = conrelid and pg_attribute.attnum = key.attnum),
    confrelid::regclass::oid,
    (select array_agg(attname::text order by position)
     from unnest(confkey) with ordinality as key (attnum, position)
     inner join pg_attribute on attrelid = confrelid and pg_attribute.attnum = key.attnum),
    condeferrable
from pg_constraint
where contype = 'f' and conrelid = to_regclass(%s)
"""


def name(place: tuple[str, str]) -> str:
    """Return a table's quoted name."""
    return ".".join(map(quote, place))


def columns(connection: psycopg.Connection, place: tuple[str, str]) -> dict[str, str]:
    """Return a table's columns in order with their types, none if there is no such table."""
    return dict(connection.execute(_COLUMNS, [name(place)]).fetchall())


def create_like(connection: psycopg.Connection, source: tuple[str, str], target: tuple[str, str]) -> None:
    """Create an empty table with another one's columns, keys, indexes and comments."""
    connection.execute(f"create schema if not exists {quote(target[0])}")
    connection.execute(f"create table {name(target)} (like {name(source)} including all)")


def copy_rows(connection: psycopg.Connection, source: tuple[str, str], target: tuple[str, str]) -> int:
    """Append one table's rows to another, matching columns by name; return their number."""
    listed = ", ".join(map(quote, columns(connection, target)))
    return connection.execute(f"insert into {name(target)} ({listed}) select {listed} from {name(source)}").rowcount


def drop_foreign_keys(connection: psycopg.Connection, marts: list[Mart], place: Place) -> None:
    """Drop the foreign keys of a set, so that its tables can be replaced one by one."""
    for mart in marts:
        for constraint, *_ in connection.execute(_FOREIGN_KEYS, [name(place(mart))]).fetchall():
            connection.execute(f"alter table {name(place(mart))} drop constraint {quote(constraint)}")


def copy_foreign_keys(connection: psycopg.Connection, marts: list[Mart], source: Place, target: Place) -> None:
    """Copy the foreign keys of a set to another, checked at the end of a transaction, so that row order is free."""
    parents = {_oid(connection, source(mart)): mart for mart in marts}
    for mart in marts:
        held = connection.execute(_FOREIGN_KEYS, [name(target(mart))]).fetchall()
        deferred = [(keys, parent_keys) for _, keys, _, parent_keys, is_deferrable in held if is_deferrable]
        for _, keys, parent, parent_keys, _ in connection.execute(_FOREIGN_KEYS, [name(source(mart))]).fetchall():
            if parent in parents and (keys, parent_keys) not in deferred:
                connection.execute(
                    f"alter table {name(target(mart))} add foreign key ({listed(keys)}) "
                    f"references {name(target(parents[parent]))} ({listed(parent_keys)}) "
                    "deferrable initially deferred"
                )


def _oid(connection: psycopg.Connection, place: tuple[str, str]) -> int:
    return connection.execute("select to_regclass(%s)::oid", [name(place)]).fetchall()[0][0]
