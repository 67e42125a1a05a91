"""Publishing on DuckDB: the marts go into a file of their own, put in place by one rename."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from threading import Lock

import duckdb

from ingestion.digest import file_sha256, rows_hash, stream_sha256
from ingestion.errors import StepFailed
from ingestion.redact import one_line
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.sources.postgres import literal
from ingestion.sources.postgres_types import quote
from ingestion.stores import open_store
from ingestion.warehouse.duckdb import DuckDBWarehouse
from pipeline.project import Mart
from pipeline.publishing.base import Answer, Rows, Version, combined_hash, kept_versions
from pipeline.publishing.changes import Change, compare
from pipeline.publishing.duckdb_reading import answering
from pipeline.publishing.journal import Journal, Published, appended, taken_back, write_latest

# Clients from DuckDB 1.4 on open this format; 2.0's own they can't.
_STORAGE_VERSION = "v1.4.0"
# Inside the file, so that what it is and what it holds can never come apart.
_VERSION_TABLE = "main.published_version"
_SELECT_VERSION = f"select run_date::varchar, content_hash from {_VERSION_TABLE}"
_READING = Lock()
_PUBLISHED = "tradewinds.duckdb"


class DuckDBPublisher:
    """`published/tradewinds.duckdb`, with the last versions kept as `published/versions/<run_date>-<hash>.duckdb`."""

    def __init__(self, home: Home):
        self._store = open_store(home.published, home.work)
        self._journal = Journal(self._store, "versions/journal.json")
        self._warehouse = DuckDBWarehouse(home).path

    @property
    def place(self) -> str:
        return self._store.location(_PUBLISHED)

    def reader_connection(self) -> dict[str, str | int]:
        return {"type": "duckdb", "path": str(self._store.latest(_PUBLISHED) or self.place)}

    def relations(self) -> list[str]:
        if (path := self._store.latest(_PUBLISHED)) is None:
            return []
        query = "select schema_name || '.' || table_name from duckdb_tables() where schema_name <> 'main' order by 1"
        with _one_line_errors("listed"), open_session(path, read_only=True) as connection:
            return [relation for (relation,) in connection.execute(query).fetchall()]

    def current(self) -> Version | None:
        path = self._store.latest(_PUBLISHED)
        return path and _version_of(path)

    def read(self, mart: Mart, column: str, value: int) -> Rows | None:
        # One at a time: while a connection is open, DuckDB takes another to the same name for the same file.
        with _READING, _one_line_errors("read"):
            if (path := self._store.latest(_PUBLISHED)) is None:
                return None
            with open_session(path, read_only=True) as connection:
                version = Version(*connection.execute(_SELECT_VERSION).fetchone())
                query = f"select * from {'.'.join(map(quote, mart.place))} where {quote(column)} = ?"
                try:
                    found = connection.execute(query, [value])
                except duckdb.CatalogException:
                    return None
                return Rows(version, [name for name, *_ in found.description], found.fetchall())

    def answering(self, statement: str) -> AbstractContextManager[Answer | None]:
        path = self._store.latest(_PUBLISHED)
        return answering(path, statement) if path else nullcontext()

    def changes(self, marts: list[Mart]) -> list[Change]:
        with _one_line_errors("compared"), self._both_attached() as connection:
            return [_compare(connection, mart) for mart in marts]

    def publish(self, run_date: str, marts: list[Mart]) -> tuple[Version, dict[str, int]]:
        kept_versions()  # a setting that can't be read is said before anything is written
        with _one_line_errors("published"), self._held_alone(), self._store.draft(_PUBLISHED) as draft:
            version, rows = self._copy_marts(draft, run_date, marts)
            entries = self._entries()
            if not self._is_whole(version, entries):
                self._store.put(draft, _kept_name(version.name))
            if self.current() != version:
                newest = Published.now(version, self._sha256(_kept_name(version.name)))
                self._put_in_place(appended(entries, newest))
            self._tidy()
        return version, rows

    def rollback(self, to: str | None = None) -> Version:
        with _one_line_errors("rolled back"), self._held_alone():
            earlier = taken_back(self._entries(), to)
            version = Version(earlier[-1].run_date, earlier[-1].content_hash)
            if not self._is_whole(version, earlier):
                kept = self._store.location(_kept_name(version.name))
                raise StepFailed(f"{kept} is missing or damaged (its SHA-256 is not the journal's)")
            self._put_in_place([*earlier[:-1], Published.now(version, earlier[-1].sha256)])
            write_latest(self._store, "duckdb", self._entries()[-1])
        return self.current()

    def _entries(self) -> list[Published]:
        path = self._store.latest(_PUBLISHED)
        return self._journal.entries(path and Published.now(_version_of(path), file_sha256(path)))

    def _is_whole(self, version: Version, entries: list[Published]) -> bool:
        """Say whether a version's kept file is the one the journal knows: it is never written twice."""
        sha256 = {entry.version: entry.sha256 for entry in entries}.get(version.name)
        return sha256 is not None and self._sha256(_kept_name(version.name)) == sha256

    def _sha256(self, name: str) -> str | None:
        """Return the hash of a file in the store, None when there is no such file."""
        try:
            with self._store.open(name) as file:
                return stream_sha256(file)
        except FileNotFoundError:
            return None

    @contextmanager
    def _both_attached(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with open_session() as connection:
            connection.execute(f"attach {literal(str(self._warehouse))} as warehouse (read_only)")
            if path := self._store.latest(_PUBLISHED):
                connection.execute(f"attach {literal(str(path))} as published (read_only)")
            yield connection

    def _copy_marts(self, draft: Path, run_date: str, marts: list[Mart]) -> tuple[Version, dict[str, int]]:
        rows, hashes = {}, []
        with open_session() as connection:
            connection.execute(f"attach {literal(str(self._warehouse))} as warehouse (read_only)")
            connection.execute(f"attach {literal(str(draft))} as published (storage_version '{_STORAGE_VERSION}')")
            for mart in marts:
                schema, copied = quote(mart.place[0]), _name("published", mart)
                connection.execute(f"create schema if not exists published.{schema}")
                connection.execute(f"create table {copied} as from {_name('warehouse', mart)}")
                rows[mart.relation] = connection.execute(f"select count(*) from {copied}").fetchone()[0]
                if not mart.is_of_operations:
                    columns = _columns(connection, "published", mart)
                    hashes.append([mart.relation, rows_hash(connection, copied, columns)])
            content_hash = combined_hash(hashes)
            connection.execute(
                f"create table published.{_VERSION_TABLE} as select ?::date as run_date, ? as content_hash",
                [run_date, content_hash],
            )
            connection.execute("detach published")
        return Version(run_date, content_hash), rows

    def _put_in_place(self, entries: list[Published]) -> None:
        """Put a copy of the last entry's file before readers, at once, the journal first."""
        self._journal.write(entries)
        self._store.copy(_kept_name(entries[-1].version), _PUBLISHED)

    @contextmanager
    def _held_alone(self) -> Iterator[None]:
        """Keep other publishers out; raises StepFailed when one is at work."""
        with ExitStack() as held:
            try:
                held.enter_context(self._store.lock("versions/.lock"))
            except BlockingIOError as error:
                raise StepFailed("another process is publishing; wait for it to end") from error
            yield

    def _tidy(self) -> None:
        """Keep the newest versions' files, drop the older ones and those that were rolled back from."""
        kept = self._entries()[-kept_versions() :]
        self._journal.write(kept)
        write_latest(self._store, "duckdb", kept[-1])
        names = [_kept_name(entry.version) for entry in kept]
        for name in self._store.names("versions"):
            if name.endswith(".duckdb") and name not in names:
                self._store.remove(name)


def _kept_name(version: str) -> str:
    return f"versions/{version}.duckdb"


def _version_of(path: Path) -> Version:
    try:
        with open_session(path, read_only=True) as connection:
            return Version(*connection.execute(_SELECT_VERSION).fetchone())
    except duckdb.Error as error:
        raise StepFailed(f"the published file {path} can't be read: {one_line(error)}") from error


def _compare(connection: duckdb.DuckDBPyConnection, mart: Mart) -> Change:
    before, after = (_columns(connection, database, mart) for database in ("published", "warehouse"))
    old = _name("published", mart) if before else None
    return compare(
        mart,
        lambda query: connection.execute(query).fetchone(),
        old,
        _name("warehouse", mart),
        (before, after),
    )


def _columns(connection: duckdb.DuckDBPyConnection, database: str, mart: Mart) -> list[str]:
    """Return the mart's columns in their order, none where it doesn't exist."""
    query = """
        select column_name from duckdb_columns()
        where database_name = ? and schema_name = ? and table_name = ? order by column_index
    """
    return [name for (name,) in connection.execute(query, [database, *mart.place]).fetchall()]


def _name(database: str, mart: Mart) -> str:
    return ".".join([database, *map(quote, mart.place)])


@contextmanager
def _one_line_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise StepFailed(f"the marts can't be {what}: {one_line(error)}") from error
