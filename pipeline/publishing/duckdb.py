"""Publishing on DuckDB: the marts are copied to a separate file, which is put in place by one rename."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock

import duckdb
import pyarrow as pa

from ingestion.digest import Digest, file_sha256, stream_sha256
from ingestion.errors import StepFailed
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.sql import quote
from ingestion.stores import open_store
from ingestion.warehouse.duckdb import DuckDBWarehouse
from pipeline.dbt.project import Mart
from pipeline.publishing import duckdb_marts as files
from pipeline.publishing.base import Answer, Rows, Version, held_alone, kept_versions, version_of
from pipeline.publishing.changes import Change
from pipeline.publishing.duckdb_reading import answering, is_held, reason_of
from pipeline.publishing.journal import (
    Published,
    appended,
    read_journal,
    taken_back,
    write_journal,
    write_latest,
)
from pipeline.publishing.limits import Limits

_READING = Lock()
_PUBLISHED, _JOURNAL = "tradewinds.duckdb", "versions/journal.json"


class DuckDBPublisher:
    """Publishes `published/tradewinds.duckdb`; keeps versions as `published/versions/<run_date>-<hash>.duckdb`."""

    def __init__(self, home: Home):
        self._store = open_store(home.published, home.work, is_shared=True)
        self._warehouse = DuckDBWarehouse(home).path
        self._built: tuple[tuple, dict[str, files.Content]] | None = None
        # Of marts that have just been compared; used ones are proven by the marts' hashes.
        self._different: dict[str, pa.Table] = {}

    @property
    def place(self) -> str:
        return self._store.location(_PUBLISHED)

    @property
    def namespace(self) -> tuple[str, str]:
        return f"duckdb://{self.place}", Path(_PUBLISHED).stem

    def reader_connection(self) -> dict[str, str | int]:
        return {"type": "duckdb", "path": str(self._store.latest(_PUBLISHED) or self.place)}

    def relations(self) -> list[str]:
        if (path := self._store.latest(_PUBLISHED)) is None:
            return []
        query = "select schema_name || '.' || table_name from duckdb_tables() where schema_name <> 'main' order by 1"
        with _one_line_errors("listed"), open_session(path, read_only=True) as connection:
            return [relation for (relation,) in connection.execute(query).fetchall()]

    def current(self) -> Version | None:
        with self._readable() as path:
            return _version_of(path) if path else None

    def read(self, mart: Mart, column: str, value: int) -> Rows | None:
        # One at a time: DuckDB reuses an open database for a second connection to the same name.
        with _READING, _one_line_errors("read"):
            if (path := self._store.latest(_PUBLISHED)) is None:
                return None
            with open_session(path, read_only=True) as connection:
                version = files.version_in(connection)
                query = f"select * from {'.'.join(map(quote, mart.place))} where {quote(column)} = ?"
                try:
                    found = connection.execute(query, [value])
                except duckdb.CatalogException:
                    return None
                return Rows(version, [name for name, *_ in found.description], found.fetchall())

    def answering(self, statement: str, limits: Limits | None = None) -> AbstractContextManager[Answer | None]:
        path = self._store.latest(_PUBLISHED)
        return answering(path, statement, limits) if path else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[tuple[Version, Callable[[Mart], pa.RecordBatchReader]]]:
        with self._readable() as path, open_session(path, read_only=True) as connection:
            version = files.version_in(connection)
            yield version, lambda mart: connection.sql(f"from {'.'.join(map(quote, mart.place))}").to_arrow_reader()

    def held_alone(self) -> AbstractContextManager[None]:
        return held_alone(self._store)

    def changes(self, marts: list[Mart]) -> list[Change]:
        with _one_line_errors("compared"), self._attached() as connection:
            built, published = self._digest_built(connection, marts), files.published_contents(connection, marts)
            changes = []
            for mart in marts:
                now, before = built[mart.relation], published.get(mart.relation)
                if before and before.digest == now.digest:
                    changes.append(Change(mart.relation))
                    continue
                changes.append(files.compare_mart(connection, mart, ranges=now.differing(before)))
                if before and (keys := files.different_keys(connection, mart)) is not None:
                    self._different[mart.relation] = keys
            return changes

    def publish(self, run_date: str, marts: list[Mart]) -> tuple[Version, dict[str, int]]:
        kept_versions()  # report an unreadable setting before writing anything
        with _one_line_errors("published"), self.held_alone():
            current, entries = self.current(), self._entries()
            with self._attached() as connection:
                built = self._digest_built(connection, marts)
                digests = _digests(built)
                version = version_of(
                    run_date, digests, current, lambda: _digests(files.published_contents(connection, marts))
                )
                is_declared = version != current or files.marts_are_declared(connection, marts)
                if version != current or not is_declared or self._store.size(_kept_name(version.name)) is None:
                    kept = self._kept(version, entries) if is_declared else None
                    newest = kept or self._copy_marts(connection, version, marts, built, entries)
                    entries = appended(entries, newest)
                    self._put_in_place(entries)
            self._tidy(entries)
        return version, {mart: digest.rows for mart, digest in digests.items()}

    def rollback(self, to: str | None = None) -> Version:
        with _one_line_errors("rolled back"), self.held_alone():
            earlier = taken_back(self._entries(), to)
            version = earlier[-1].of
            if self._sha256(_kept_name(version.name)) != earlier[-1].sha256:
                kept = self._store.location(_kept_name(version.name))
                raise StepFailed(f"{kept} is missing or damaged (its SHA-256 is not the journal's)")
            entries = [*earlier[:-1], Published.now(version, earlier[-1].sha256)]
            self._put_in_place(entries)
            write_latest(self._store, "duckdb", entries[-1])
        return version

    def tidy(self, *, dry_run: bool = False) -> int:
        with _one_line_errors("tidied"), self.held_alone():
            entries = self._entries()
            freed = sum(self._store.size(name) or 0 for name in self._surplus(entries))
            if entries and not dry_run:
                self._tidy(entries)
        return freed

    def _entries(self) -> list[Published]:
        with self._readable() as path:
            if path is None:
                return []
            version = _version_of(path)
            return read_journal(self._store, _JOURNAL, version, lambda: Published.now(version, file_sha256(path)))

    def _sha256(self, name: str) -> str | None:
        """Return the hash of a file in the store, None if there is no such file."""
        try:
            with self._store.open(name) as file:
                return stream_sha256(file)
        except FileNotFoundError:
            return None

    @contextmanager
    def _attached(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._readable() as published, files.attached(self._warehouse, published) as connection:
            yield connection

    @contextmanager
    def _readable(self) -> Iterator[Path | None]:
        """Yield the published file, or a copy while a client has it open for writing: that must stop no publish."""
        path = self._store.latest(_PUBLISHED)
        if path is None or not is_held(path):
            yield path
            return
        with self._store.draft("held.duckdb") as copy:
            shutil.copyfile(path, copy)
            yield copy

    def _digest_built(self, connection: duckdb.DuckDBPyConnection, marts: list[Mart]) -> dict[str, files.Content]:
        """Digest the built marts once for comparison and copy, while the warehouse's file is unchanged."""
        found = self._warehouse.stat()
        state = (found.st_ino, found.st_size, found.st_mtime_ns, marts)
        if self._built is None or self._built[0] != state:
            self._built = state, {mart.relation: files.content_of(connection, "warehouse", mart) for mart in marts}
        return self._built[1]

    def _kept(self, version: Version, entries: list[Published]) -> Published | None:
        """Return a new entry for a version with a complete kept file, which isn't written twice."""
        sha256 = {entry.version: entry.sha256 for entry in entries}.get(version.name)
        is_whole = sha256 is not None and self._sha256(_kept_name(version.name)) == sha256
        return Published.now(version, sha256) if is_whole else None

    def _copy_marts(
        self,
        connection: duckdb.DuckDBPyConnection,
        version: Version,
        marts: list[Mart],
        built: dict[str, files.Content],
        entries: list[Published],
    ) -> Published:
        """Write a version's file, beginning with the published one if that is whole; return the version's entry."""
        there = {}
        with self._store.draft(_PUBLISHED) as draft:
            if entries and files.marts_are_declared(connection, marts):
                shutil.copyfile(files.published_file(connection), draft)
                if file_sha256(draft) == entries[-1].sha256:
                    there = files.published_contents(connection, marts)
                else:
                    draft.unlink()
            files.write_marts(connection, draft, version, marts, built, there, self._different)
            newest = Published.now(version, file_sha256(draft))
            self._store.put(draft, _kept_name(version.name))
        return newest

    def _put_in_place(self, entries: list[Published]) -> None:
        """Write the journal, then publish the last entry's file atomically."""
        write_journal(self._store, _JOURNAL, entries)
        self._store.copy(_kept_name(entries[-1].version), _PUBLISHED)

    def _tidy(self, entries: list[Published]) -> None:
        """Keep the newest versions' files; remove older ones and those that were rolled back."""
        kept = entries[-kept_versions() :]
        write_journal(self._store, _JOURNAL, kept)
        write_latest(self._store, "duckdb", kept[-1])
        for name in self._surplus(entries):
            self._store.remove(name)

    def _surplus(self, entries: list[Published]) -> list[str]:
        names = [_kept_name(entry.version) for entry in entries[-kept_versions() :]]
        return [name for name in self._store.names("versions") if name.endswith(".duckdb") and name not in names]


def _digests(contents: dict[str, files.Content]) -> dict[str, Digest]:
    return {mart: content.digest for mart, content in contents.items()}


def _kept_name(version: str) -> str:
    return f"versions/{version}.duckdb"


def _version_of(path: Path) -> Version:
    try:
        with open_session(path, read_only=True) as connection:
            return files.version_in(connection)
    except duckdb.Error as error:
        raise StepFailed(f"the published file {path} can't be read: {reason_of(error)}") from error


@contextmanager
def _one_line_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise StepFailed(f"the marts can't be {what}: {reason_of(error)}") from error
