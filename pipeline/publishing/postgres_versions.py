"""The versions on Postgres: a schema each with a copy of every mart, the journal, and the rows before readers."""

from dataclasses import astuple

import psycopg

from ingestion.digest import Digest, is_comparable, short_hash
from ingestion.sql import quote
from pipeline.dbt.project import Mart
from pipeline.publishing import postgres_copies as copies
from pipeline.publishing.base import Version, combined_hash
from pipeline.publishing.journal import Published
from pipeline.publishing.postgres_shapes import comment_on, loosen, read_shape, tighten

# One row: the version that a reader's statement sees.
CURRENT = "public.published_version"
# Long enough for a reader of a table with changing columns; other tables are never locked.
_LOCK_TIMEOUT = "30s"
_JOURNAL = "public.published_versions"
_MARTS = "public.published_marts"
# Matches only schemas of copies, and no other schema in the database.
_COPIES = "^version_[0-9]{4}_[0-9]{2}_[0-9]{2}_[0-9a-f]{12}$"


def put_before_readers(
    connection: psycopg.Connection,
    entries: list[Published],
    marts: list[Mart],
    published: dict[str, Digest],
    digests: dict[str, Digest],
    comment: str | None,
) -> None:
    """Replace the readers' rows by the last entry's in one transaction: readers see all old rows or all new ones.

    A table with unchanged columns is never replaced, and locked only if its keys or NOT NULL change; its rows are
    replaced only if its digest changes. The comment of the version's table is `comment`.
    """
    version = entries[-1]

    def copied(mart: Mart) -> tuple[str, str]:
        return copy_place(schema_of(version), mart)

    connection.execute(f"set local lock_timeout = '{_LOCK_TIMEOUT}'")
    before = read_entries(connection)
    replaced = [
        mart
        for mart in marts
        if not before or copies.columns(connection, mart.place) != copies.columns(connection, copied(mart))
    ]
    held = marts_of(connection, before[-1]) if before else []
    retired = [mart for mart in held if mart.relation not in [kept.relation for kept in marts]]
    shapes = {mart: read_shape(connection, copied(mart)) for mart in marts if mart not in replaced}
    outdated = any(read_shape(connection, mart.place).keys - shape.keys for mart, shape in shapes.items())
    if replaced or retired or outdated:
        copies.drop_foreign_keys(connection, [*marts, *retired], lambda mart: mart.place)
    for mart in [*replaced, *retired]:
        connection.execute(f"drop table if exists {copies.name(mart.place)}")
    for mart, shape in shapes.items():
        loosen(connection, mart.place, shape)
    for mart in marts:
        if mart in replaced:
            copies.create_like(connection, copied(mart), mart.place)
        elif published.get(mart.relation) != digests[mart.relation]:
            connection.execute(f"delete from {copies.name(mart.place)}")
        else:
            continue
        copies.copy_rows(connection, copied(mart), mart.place)
    # A table whose foreign keys aren't checked yet can't be altered.
    connection.execute("set constraints all immediate")
    for mart in marts:
        tighten(connection, mart.place, shapes.get(mart) or read_shape(connection, copied(mart)))
    copies.copy_foreign_keys(connection, marts, copied, lambda mart: mart.place)
    connection.execute(f"create table if not exists {CURRENT} (run_date date, content_hash text)")
    connection.execute(f"delete from {CURRENT}")
    connection.execute(f"insert into {CURRENT} values (%s, %s)", [version.run_date, version.content_hash])
    comment_on(connection, CURRENT, comment)
    write_entries(connection, entries)
    write_digests(connection, version, digests)


def read_entries(connection: psycopg.Connection) -> list[Published]:
    """Return the published versions, oldest first; the journal changes in the same transaction as readers' rows."""
    if connection.execute("select to_regclass(%s)", [_JOURNAL]).fetchall()[0][0] is None:
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


def read_digests(connection: psycopg.Connection, entry: Published) -> dict[str, Digest]:
    """Return the stored digests of a version's marts, by mart."""
    if connection.execute("select to_regclass(%s)", [_MARTS]).fetchall()[0][0] is None:
        return {}
    query = f"select mart, row_count, content_hash from {_MARTS} where version = %s"
    return {mart: Digest(*digest) for mart, *digest in connection.execute(query, [entry.version]).fetchall()}


def write_digests(connection: psycopg.Connection, entry: Published, digests: dict[str, Digest]) -> None:
    """Replace the stored digests of a version's marts."""
    connection.execute(
        f"create table if not exists {_MARTS} (version text, mart text, row_count bigint, content_hash text)"
    )
    connection.execute(f"delete from {_MARTS} where version = %s", [entry.version])
    rows = [[entry.version, mart, digest.rows, digest.content_hash] for mart, digest in digests.items()]
    with connection.cursor() as cursor:
        cursor.executemany(f"insert into {_MARTS} values (%s, %s, %s, %s)", rows)


def keep_only(connection: psycopg.Connection, kept: list[Published]) -> None:
    """Forget the other versions, and drop their copies."""
    write_entries(connection, kept)
    if connection.execute("select to_regclass(%s)", [_MARTS]).fetchall()[0][0] is not None:
        connection.execute(f"delete from {_MARTS} where version <> all(%s)", [[entry.version for entry in kept]])
    for schema in surplus(connection, kept):
        connection.execute(f"drop schema {quote(schema)} cascade")


def surplus(connection: psycopg.Connection, kept: list[Published]) -> dict[str, int]:
    """Return the schemas of versions that aren't kept, with their bytes."""
    query = (
        "select nspname, coalesce(sum(pg_total_relation_size(pg_class.oid)), 0)::bigint from pg_namespace "
        "left join pg_class on relnamespace = pg_namespace.oid and relkind = 'r' where nspname ~ %s group by nspname"
    )
    listed = [schema_of(entry) for entry in kept]
    found = connection.execute(query, [_COPIES]).fetchall()
    return {schema: size for schema, size in found if schema not in listed}


def is_whole(version: Version, found: dict[str, Digest], recorded: dict[str, Digest]) -> bool:
    """Return whether a copy matches the version by hash, or by row counts if another algorithm made the hash."""
    if is_comparable(version.content_hash):
        return combined_hash(found) == version.content_hash
    counts = [{mart: digest.rows for mart, digest in digests.items()} for digests in (found, recorded or found)]
    return bool(found) and counts[0] == counts[1]


def marts_of(connection: psycopg.Connection, version: Version | Published) -> list[Mart]:
    """Return the marts of a kept version, with their names only."""
    query = "select tablename from pg_tables where schemaname = %s order by tablename"
    return [Mart(table) for (table,) in connection.execute(query, [schema_of(version)]).fetchall()]


def schema_of(version: Version | Published) -> str:
    """Return the schema of a version's copy, `version_<run_date>_<hash>`."""
    return f"version_{version.run_date}_{short_hash(version.content_hash)}".replace("-", "_")


def copy_place(schema: str, mart: Mart) -> tuple[str, str]:
    """Return a mart's place in a copy: one schema for all marts, with tables named `schema.table`."""
    return schema, mart.relation
