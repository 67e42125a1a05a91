"""Readers' tables on Postgres: one transaction replaces their rows by a version's."""

import psycopg

from ingestion.digest import Digest
from pipeline.dbt.project import Mart
from pipeline.publishing import postgres_copies as copies
from pipeline.publishing.journal import Published
from pipeline.publishing.postgres_shapes import comment_on, loosen, read_shape, tighten
from pipeline.publishing.postgres_versions import (
    copy_place,
    marts_of,
    read_entries,
    schema_of,
    write_digests,
    write_entries,
)

# One row: the version that a reader's statement sees.
CURRENT = "public.published_version"
# Long enough for a reader of a table with changing columns; other tables are never locked.
_LOCK_TIMEOUT = "30s"


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
