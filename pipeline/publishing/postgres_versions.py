"""The versions a Postgres keeps: a schema with a copy of every mart each, and the journal of their order."""

from dataclasses import astuple

import psycopg

from pipeline.project import Mart
from pipeline.publishing.base import Version
from pipeline.publishing.journal import Published

_JOURNAL = "public.published_versions"


def read_entries(connection: psycopg.Connection) -> list[Published]:
    """Return the published versions, oldest first: the journal changes in the transaction that readers' rows do."""
    if connection.execute("select to_regclass(%s)", [_JOURNAL]).fetchone()[0] is None:
        return []
    query = f"select run_date::text, version, content_hash, null, published_at from {_JOURNAL} order by position"
    return [Published(*row) for row in connection.execute(query).fetchall()]


def write_entries(connection: psycopg.Connection, entries: list[Published]) -> None:
    connection.execute(
        f"create table if not exists {_JOURNAL} "
        "(position integer, run_date date, version text, content_hash text, published_at text)"
    )
    connection.execute(f"delete from {_JOURNAL}")
    for position, entry in enumerate(entries):
        run_date, version, content_hash, _, published_at = astuple(entry)
        row = [position, run_date, version, content_hash, published_at]
        connection.execute(f"insert into {_JOURNAL} values (%s, %s, %s, %s, %s)", row)


def marts_of(connection: psycopg.Connection, version: Version | Published) -> list[Mart]:
    """Return the marts that a kept version holds, known by their names alone."""
    query = "select tablename from pg_tables where schemaname = %s order by tablename"
    return [Mart(table) for (table,) in connection.execute(query, [schema_of(version)]).fetchall()]


def schema_of(version: Version | Published) -> str:
    """Return the schema of a version's copy, `version_<run_date>_<hash>`."""
    return f"version_{version.run_date}_{version.content_hash[:12]}".replace("-", "_")


def copy_place(schema: str, mart: Mart) -> tuple[str, str]:
    """Return where a copy keeps a mart: all marts in one schema, each table named `schema.table`."""
    return schema, mart.relation
