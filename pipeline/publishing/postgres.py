"""Publishing on Postgres: a version is a copy of the marts; one transaction moves its rows to the readers' tables."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from urllib.parse import unquote, urlsplit

import psycopg
import pyarrow as pa

from ingestion.digest import Digest, digest_rows, is_comparable
from ingestion.errors import Refused, StepFailed
from ingestion.redact import one_line
from ingestion.session import open_scratch
from ingestion.settings import Home
from ingestion.sql import quote
from ingestion.stores import open_store
from ingestion.warehouse.postgres import PostgresWarehouse, warehouse_url
from pipeline.dbt.project import Mart, published_marts
from pipeline.publishing import postgres_copies as copies
from pipeline.publishing import postgres_versions as versions
from pipeline.publishing.base import Answer, Rows, Version, kept_versions, version_of
from pipeline.publishing.changes import Change, compare
from pipeline.publishing.declarations import version_comment
from pipeline.publishing.journal import Published, appended, taken_back, write_latest
from pipeline.publishing.limits import Limits
from pipeline.publishing.postgres_readers import answering, ensure_reader, grant_reading
from pipeline.publishing.postgres_shapes import comment_of, declare

_DRAFT = "version_draft"


class PostgresPublisher:
    """Publishes marts to the readers' schemas (`sales` …); the last versions are in `version_<run_date>_<hash>`."""

    def __init__(self, home: Home):
        self._store = open_store(home.published, home.work, is_shared=True)
        self._warehouse = PostgresWarehouse(home)
        self._built: tuple[tuple, dict[str, Digest]] | None = None

    @property
    def place(self) -> str:
        url = urlsplit(warehouse_url())
        schemas = ", ".join(sorted({mart.place[0] for mart in published_marts()}))
        return f"database {url.path.lstrip('/')} at {url.hostname}:{url.port}, schemas {schemas}"

    @property
    def namespace(self) -> tuple[str, str]:
        return self._warehouse.namespace

    def reader_connection(self) -> dict[str, str | int]:
        url = urlsplit(warehouse_url())
        return {
            "type": "postgres",
            "host": url.hostname or "",
            "port": url.port or 5432,
            "user": unquote(url.username or ""),
            "password": "{{ env_var('TRADEWINDS_POSTGRES_PASSWORD', '') }}",
            "dbname": unquote(url.path.lstrip("/")),
            "schema": "public",
        }

    def relations(self) -> list[str]:
        with _connected("listed") as connection:
            entries = versions.read_entries(connection)
            return [mart.relation for mart in versions.marts_of(connection, entries[-1])] if entries else []

    def current(self) -> Version | None:
        with _connected("read") as connection:
            entries = versions.read_entries(connection)
        return entries[-1].of if entries else None

    def read(self, mart: Mart, column: str, value: int) -> Rows | None:
        with _connected("read") as connection, connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            try:
                current = f"select run_date::text, content_hash from {versions.CURRENT}"
                version = connection.execute(current).fetchall()[0]
                query = f"select * from {copies.name(mart.place)} where {quote(column)} = %s"
                found = connection.execute(query, [value])
            except psycopg.errors.UndefinedTable:
                return None
            return Rows(Version(*version), [described.name for described in found.description or ()], found.fetchall())

    def answering(self, statement: str, limits: Limits | None = None) -> AbstractContextManager[Answer | None]:
        return answering(statement, limits) if self.current() else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[tuple[Version, Callable[[Mart], pa.RecordBatchReader]]]:
        version = self.current()
        assert version, "read only after a publish"
        with self._warehouse.reading_tables() as read:
            yield version, lambda mart: read(*versions.copy_place(versions.schema_of(version), mart))

    @contextmanager
    def held_alone(self) -> Iterator[None]:
        with _alone("held"):
            yield

    def changes(self, marts: list[Mart]) -> list[Change]:
        with _connected("compared") as connection:
            built, published = self._digest_built(connection, marts), self._digest_published(connection, marts)
            return [
                Change(mart.relation)
                if published.get(mart.relation) == built[mart.relation]
                else self._compare(connection, mart)
                for mart in marts
            ]

    def publish(self, run_date: str, marts: list[Mart]) -> tuple[Version, dict[str, int]]:
        kept_versions()  # report an unreadable setting before writing anything
        with _alone("published") as connection:
            ensure_reader(connection)
            entries = versions.read_entries(connection)
            current = entries[-1].of if entries else None
            with connection.transaction():
                _keep_built(connection, run_date)
                digests = self._digest_built(connection, marts)
                published = cache(lambda: self._digest_published(connection, marts))
                version = version_of(run_date, digests, current, published)
                declared = version_comment(marts)
                is_new = version != current or comment_of(connection, versions.CURRENT) != declared
                is_copied = is_new or not versions.marts_of(connection, version)
                if is_copied:
                    self._copy_built(connection, marts)
            with connection.transaction():
                if is_copied:
                    connection.execute(f"drop schema if exists {versions.schema_of(version)} cascade")
                    connection.execute(f"alter schema {_DRAFT} rename to {versions.schema_of(version)}")
                if is_new:
                    entries = appended(entries, Published.now(version))
                    versions.put_before_readers(connection, entries, marts, published(), digests, declared)
                grant_reading(connection, marts, versions.CURRENT)
            self._tidy(connection, entries)
        return version, {mart: digest.rows for mart, digest in digests.items()}

    def rollback(self, to: str | None = None) -> Version:
        with _alone("rolled back") as connection:
            earlier = taken_back(versions.read_entries(connection), to)
            version, schema = earlier[-1].of, versions.schema_of(earlier[-1])
            marts = versions.marts_of(connection, version)
            digests = self._digest({mart.relation: versions.copy_place(schema, mart) for mart in marts})
            if not versions.is_whole(version, digests, versions.read_digests(connection, earlier[-1])):
                raise StepFailed(f"schema {schema} is missing or damaged (its rows' hash is not the version's)")
            published = self._digest_published(connection, marts)
            entries = [*earlier[:-1], Published.now(version)]
            with connection.transaction():
                # What an earlier version was declared with isn't known, so publishing it anew declares it again.
                versions.put_before_readers(connection, entries, marts, published, digests, None)
                grant_reading(connection, marts, versions.CURRENT)
            self._tidy(connection, entries)
        return version

    def tidy(self, *, dry_run: bool = False) -> int:
        with _alone("tidied") as connection:
            entries = versions.read_entries(connection)
            freed = sum(versions.surplus(connection, entries[-kept_versions() :]).values())
            if entries and not dry_run:
                self._tidy(connection, entries)
        return freed

    def _compare(self, connection: psycopg.Connection, mart: Mart) -> Change:
        built = self._warehouse.built_place(mart.relation)
        before, after = (copies.columns(connection, place) for place in (mart.place, built))
        return compare(
            mart,
            lambda query: connection.execute(query).fetchall()[0],
            lambda relation, columns: f"hash_record_extended(row({', '.join(map(quote, columns))}), 0)",
            copies.name(mart.place) if before else None,
            copies.name(built),
            (before, after),
        )

    def _copy_built(self, connection: psycopg.Connection, marts: list[Mart]) -> None:
        """Copy the built marts into the draft."""
        connection.execute(f"drop schema if exists {_DRAFT} cascade")
        for mart in marts:
            built, draft = self._warehouse.built_place(mart.relation), versions.copy_place(_DRAFT, mart)
            copies.create_like(connection, built, draft)
            copies.copy_rows(connection, built, draft)
            declare(connection, mart, draft)
        copies.copy_foreign_keys(
            connection,
            marts,
            lambda mart: self._warehouse.built_place(mart.relation),
            lambda mart: versions.copy_place(_DRAFT, mart),
        )

    def _digest(self, places: dict[str, tuple[str, str]]) -> dict[str, Digest]:
        """Digest tables' rows with DuckDB in one pass each, for the same result on every engine.

        Raises StepFailed when a table is missing.
        """
        digests: dict[str, Digest] = {}
        if places:
            with self._warehouse.reading_tables() as read:
                for relation, (schema, table) in places.items():
                    try:
                        batches = read(schema, table)
                    except KeyError as error:
                        raise StepFailed(f"table {schema}.{table} is missing") from error
                    with open_scratch() as session:
                        session.register("batches", batches)
                        digests[relation] = digest_rows(session, "batches")
        return digests

    def _digest_built(self, connection: psycopg.Connection, marts: list[Mart]) -> dict[str, Digest]:
        """Digest the built marts once a build, for comparison and copy."""
        state = connection.execute("select to_jsonb(mark)::text from raw_ops.build_mark as mark").fetchone(), marts
        if self._built is None or self._built[0] != state:
            places = {mart.relation: self._warehouse.built_place(mart.relation) for mart in marts}
            self._built = state, self._digest(places)
        return self._built[1]

    def _digest_published(self, connection: psycopg.Connection, marts: list[Mart]) -> dict[str, Digest]:
        """Return the published marts' stored digests, or digest them again if another algorithm made those."""
        if not (entries := versions.read_entries(connection)):
            return {}
        recorded = versions.read_digests(connection, entries[-1])
        there = {mart.relation: mart.place for mart in marts if copies.columns(connection, mart.place)}
        known = {mart: recorded[mart] for mart in there if mart in recorded}
        known = {mart: digest for mart, digest in known.items() if is_comparable(digest.content_hash)}
        return known | self._digest({mart: place for mart, place in there.items() if mart not in known})

    def _tidy(self, connection: psycopg.Connection, entries: list[Published]) -> None:
        """Write what is published, and drop versions that are too old or were rolled back."""
        with connection.transaction():
            versions.keep_only(connection, entries[-kept_versions() :])
        write_latest(self._store, "postgres", entries[-1])


def _keep_built(connection: psycopg.Connection, run_date: str) -> None:
    """Block new builds until the transaction ends; raises Refused when one has begun."""
    connection.execute("lock table raw_ops.build_mark in share mode")
    mark = connection.execute("select run_date::text, state from raw_ops.build_mark").fetchone()
    if mark != (run_date, "built"):
        raise Refused("another build has begun meanwhile")


@contextmanager
def _connected(what: str) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(warehouse_url(), autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise StepFailed(f"the published marts can't be {what}: {one_line(error)}") from error


@contextmanager
def _alone(what: str) -> Iterator[psycopg.Connection]:
    """Connect, and lock out other publishers; raises StepFailed when one is running."""
    lock = "hashtext('tradewinds publish')"
    with _connected(what) as connection:
        if not connection.execute(f"select pg_try_advisory_lock({lock})").fetchall()[0][0]:
            raise StepFailed("another process is publishing to this database; wait for it to end")
        yield connection
        # A closed connection is gone only some time later, and its lock with it.
        connection.execute(f"select pg_advisory_unlock({lock})")
