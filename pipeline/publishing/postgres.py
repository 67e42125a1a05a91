"""Publishing on Postgres: a version is a copy of the marts, and readers' tables take its rows in one transaction."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from urllib.parse import unquote, urlsplit

import psycopg

from ingestion.digest import rows_hash
from ingestion.errors import Refused, StepFailed
from ingestion.redact import one_line
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.sources.postgres_types import quote
from ingestion.stores import open_store
from ingestion.warehouse.postgres import PostgresWarehouse, warehouse_url
from pipeline.project import Mart, published_marts
from pipeline.publishing import postgres_copies as copies
from pipeline.publishing.base import Answer, Rows, Version, combined_hash, kept_versions
from pipeline.publishing.changes import Change, compare
from pipeline.publishing.journal import Published, appended, taken_back, write_latest
from pipeline.publishing.postgres_readers import answering, ensure_reader, grant_reading
from pipeline.publishing.postgres_versions import copy_place, marts_of, read_entries, schema_of, write_entries

# One row: the version whose rows a reader's statement sees.
_CURRENT = "public.published_version"
_DRAFT = "version_draft"
# What the schemas of copies are named, and nothing else that people may keep in the database.
_COPIES = "^version_[0-9]{4}_[0-9]{2}_[0-9]{2}_[0-9a-f]{12}$"
# Long enough for a reader that holds a table whose columns change; nobody waits where they stay.
_LOCK_TIMEOUT = "30s"


class PostgresPublisher:
    """Marts in the schemas readers know (`sales` …), copies of the last versions in `version_<run_date>_<hash>`."""

    def __init__(self, home: Home):
        self._store = open_store(home.published, home.work)
        self._warehouse = PostgresWarehouse(home)

    @property
    def place(self) -> str:
        url = urlsplit(warehouse_url())
        schemas = ", ".join(sorted({mart.place[0] for mart in published_marts()}))
        return f"database {url.path.lstrip('/')} at {url.hostname}:{url.port}, schemas {schemas}"

    def reader_connection(self) -> dict[str, str | int]:
        url = urlsplit(warehouse_url())
        return {
            "type": "postgres",
            "host": url.hostname,
            "port": url.port,
            "user": unquote(url.username),
            "password": "{{ env_var('TRADEWINDS_POSTGRES_PASSWORD', '') }}",
            "dbname": unquote(url.path.lstrip("/")),
            "schema": "public",
        }

    def relations(self) -> list[str]:
        with _connected("listed") as connection:
            entries = read_entries(connection)
            return [mart.relation for mart in marts_of(connection, entries[-1])] if entries else []

    def current(self) -> Version | None:
        with _connected("read") as connection:
            entries = read_entries(connection)
        return Version(entries[-1].run_date, entries[-1].content_hash) if entries else None

    def read(self, mart: Mart, column: str, value: int) -> Rows | None:
        with _connected("read") as connection, connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            try:
                version = connection.execute(f"select run_date::text, content_hash from {_CURRENT}").fetchone()
                query = f"select * from {copies.name(mart.place)} where {quote(column)} = %s"
                found = connection.execute(query, [value])
            except psycopg.errors.UndefinedTable:
                return None
            return Rows(Version(*version), [described.name for described in found.description], found.fetchall())

    def answering(self, statement: str) -> AbstractContextManager[Answer | None]:
        return answering(statement) if self.current() else nullcontext()

    def changes(self, marts: list[Mart]) -> list[Change]:
        with _connected("compared") as connection:
            return [self._compare(connection, mart) for mart in marts]

    def publish(self, run_date: str, marts: list[Mart]) -> tuple[Version, dict[str, int]]:
        kept_versions()  # a setting that can't be read is said before anything is written
        with _connected("published") as connection:
            _hold_alone(connection)
            ensure_reader(connection)
            rows = self._copy_built(connection, run_date, marts)
            version = Version(run_date, self._hash(marts, _DRAFT))
            entries = read_entries(connection)
            with connection.transaction():
                connection.execute(f"drop schema if exists {schema_of(version)} cascade")
                connection.execute(f"alter schema {_DRAFT} rename to {schema_of(version)}")
                if not entries or entries[-1].version != version.name:
                    entries = appended(entries, Published.now(version))
                    _put_before_readers(connection, version, marts, entries)
                grant_reading(connection, marts, _CURRENT)
            self._tidy(connection, entries)
        return version, rows

    def rollback(self, to: str | None = None) -> Version:
        with _connected("rolled back") as connection:
            _hold_alone(connection)
            earlier = taken_back(read_entries(connection), to)
            version = Version(earlier[-1].run_date, earlier[-1].content_hash)
            marts = marts_of(connection, version)
            if self._hash(marts, schema_of(version)) != version.content_hash:
                raise StepFailed(
                    f"schema {schema_of(version)} is missing or damaged (its rows' hash is not the version's)"
                )
            entries = [*earlier[:-1], Published.now(version)]
            with connection.transaction():
                _put_before_readers(connection, version, marts, entries)
                grant_reading(connection, marts, _CURRENT)
            self._tidy(connection, entries)
        return version

    def _compare(self, connection: psycopg.Connection, mart: Mart) -> Change:
        built = self._warehouse.built_place(mart.relation)
        before, after = (list(copies.columns(connection, place)) for place in (mart.place, built))
        return compare(
            mart,
            lambda query: connection.execute(query).fetchone(),
            copies.name(mart.place) if before else None,
            copies.name(built),
            (before, after),
        )

    def _copy_built(self, connection: psycopg.Connection, run_date: str, marts: list[Mart]) -> dict[str, int]:
        """Copy the built marts into the draft, all as of one moment, while no build can begin."""
        rows = {}
        with connection.transaction():
            connection.execute("lock table raw_ops.build_mark in share mode")
            mark = connection.execute("select run_date::text, state from raw_ops.build_mark").fetchone()
            if mark != (run_date, "built"):
                raise Refused("another build has begun meanwhile")
            connection.execute(f"drop schema if exists {_DRAFT} cascade")
            for mart in marts:
                built, draft = self._warehouse.built_place(mart.relation), copy_place(_DRAFT, mart)
                copies.create_like(connection, built, draft)
                rows[mart.relation] = copies.copy_rows(connection, built, draft)
            copies.copy_foreign_keys(
                connection,
                marts,
                lambda mart: self._warehouse.built_place(mart.relation),
                lambda mart: copy_place(_DRAFT, mart),
            )
        return rows

    def _hash(self, marts: list[Mart], schema: str) -> str:
        """Return the hash of a copy's rows, as DuckDB takes it, so that it is the same on every engine."""
        hashes = []
        for mart in marts:
            if mart.is_of_operations:
                continue
            with self._warehouse.reading_table(*copy_place(schema, mart), []) as batches, open_session() as session:
                columns = batches.schema.names
                session.execute("create temp table mart as from batches")
                hashes.append([mart.relation, rows_hash(session, "mart", columns)])
        return combined_hash(hashes)

    def _tidy(self, connection: psycopg.Connection, entries: list[Published]) -> None:
        """Say what is published, and drop the versions that are too old or were rolled back from."""
        kept = entries[-kept_versions() :]
        with connection.transaction():
            write_entries(connection, kept)
            listed = [schema_of(entry) for entry in kept]
            schemas = connection.execute("select nspname from pg_namespace where nspname ~ %s", [_COPIES]).fetchall()
            for (schema,) in schemas:
                if schema not in listed:
                    connection.execute(f"drop schema {quote(schema)} cascade")
        write_latest(self._store, "postgres", kept[-1])


def _put_before_readers(
    connection: psycopg.Connection, version: Version, marts: list[Mart], entries: list[Published]
) -> None:
    """Give readers' tables a version's rows: who reads meanwhile sees all of the old rows, then all of the new ones.

    A table whose columns stay is never locked or replaced: its rows are, and only when they differ.
    """

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
    if replaced or retired:
        copies.drop_foreign_keys(connection, [*marts, *retired], lambda mart: mart.place)
    for mart in [*replaced, *retired]:
        connection.execute(f"drop table if exists {copies.name(mart.place)}")
    for mart in marts:
        if mart in replaced:
            copies.create_like(connection, copied(mart), mart.place)
        elif copies.differ(connection, mart.place, copied(mart)):
            connection.execute(f"delete from {copies.name(mart.place)}")
        else:
            continue
        copies.copy_rows(connection, copied(mart), mart.place)
    copies.copy_foreign_keys(connection, marts, copied, lambda mart: mart.place)
    connection.execute(f"create table if not exists {_CURRENT} (run_date date, content_hash text)")
    connection.execute(f"delete from {_CURRENT}")
    connection.execute(f"insert into {_CURRENT} values (%s, %s)", [version.run_date, version.content_hash])
    write_entries(connection, entries)


@contextmanager
def _connected(what: str) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(warehouse_url(), autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise StepFailed(f"the published marts can't be {what}: {one_line(error)}") from error


def _hold_alone(connection: psycopg.Connection) -> None:
    """Keep other publishers out until the connection closes; raises StepFailed when one is at work."""
    if not connection.execute("select pg_try_advisory_lock(hashtext('tradewinds publish'))").fetchone()[0]:
        raise StepFailed("another process is publishing to this database; wait for it to end")
