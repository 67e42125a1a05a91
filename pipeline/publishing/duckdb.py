"""Publishing on DuckDB: the marts go into a file of their own, put in place by one rename."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from uuid import uuid4

import duckdb

from ingestion.digest import file_sha256, rows_hash
from ingestion.errors import StepFailed
from ingestion.files import move_into_place
from ingestion.redact import one_line
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.sources.postgres import literal
from ingestion.sources.postgres_types import quote
from ingestion.warehouse.duckdb import DuckDBWarehouse
from pipeline.project import Mart
from pipeline.publishing.base import Rows, Version, combined_hash, kept_versions
from pipeline.publishing.changes import Change, compare
from pipeline.publishing.journal import Journal, Published, appended, taken_back, write_latest

# Clients from DuckDB 1.4 on open this format; 2.0's own they can't.
_STORAGE_VERSION = "v1.4.0"
# Inside the file, so that what it is and what it holds can never come apart.
_VERSION_TABLE = "main.published_version"
_SELECT_VERSION = f"select run_date::varchar, content_hash from {_VERSION_TABLE}"
_READING = Lock()


class DuckDBPublisher:
    """`published/tradewinds.duckdb`, with the last versions kept as `published/versions/<run_date>-<hash>.duckdb`."""

    def __init__(self, home: Home):
        self.folder = home.published
        self.path = self.folder / "tradewinds.duckdb"
        self._versions = self.folder / "versions"
        self._journal = Journal(self._versions / "journal.json")
        self._warehouse = DuckDBWarehouse(home).path

    @property
    def place(self) -> str:
        return str(self.path)

    def reader_connection(self) -> dict[str, str | int]:
        return {"type": "duckdb", "path": str(self.path)}

    def relations(self) -> list[str]:
        if not self.path.exists():
            return []
        query = "select schema_name || '.' || table_name from duckdb_tables() where schema_name <> 'main' order by 1"
        with _one_line_errors("listed"), open_session(self.path, read_only=True) as connection:
            return [relation for (relation,) in connection.execute(query).fetchall()]

    def current(self) -> Version | None:
        return _version_of(self.path) if self.path.exists() else None

    def read(self, mart: Mart, column: str, value: int) -> Rows | None:
        if not self.path.exists():
            return None
        # One at a time: while a connection is open, DuckDB takes another to the same name for the same file.
        with _READING, _one_line_errors("read"), open_session(self.path, read_only=True) as connection:
            version = Version(*connection.execute(_SELECT_VERSION).fetchone())
            query = f"select * from {'.'.join(map(quote, mart.place))} where {quote(column)} = ?"
            try:
                found = connection.execute(query, [value])
            except duckdb.CatalogException:
                return None
            return Rows(version, [name for name, *_ in found.description], found.fetchall())

    def changes(self, marts: list[Mart]) -> list[Change]:
        with _one_line_errors("compared"), self._both_attached() as connection:
            return [_compare(connection, mart) for mart in marts]

    def publish(self, run_date: str, marts: list[Mart]) -> tuple[Version, dict[str, int]]:
        kept_versions()  # a setting that can't be read is said before anything is written
        draft = self._versions / f".draft-{uuid4().hex}.duckdb"
        with _one_line_errors("published"), self._held_alone():
            self._remove_drafts()
            try:
                version, rows = self._copy_marts(draft, run_date, marts)
                entries = self._entries()
                if not self._is_whole(version, entries):
                    move_into_place(draft, self._file(version.name))
                if self.current() != version:
                    newest = Published.now(version, file_sha256(self._file(version.name)))
                    self._put_in_place(appended(entries, newest))
                self._tidy()
            finally:
                draft.unlink(missing_ok=True)
        return version, rows

    def rollback(self, to: str | None = None) -> Version:
        with _one_line_errors("rolled back"), self._held_alone():
            earlier = taken_back(self._entries(), to)
            version = Version(earlier[-1].run_date, earlier[-1].content_hash)
            if not self._is_whole(version, earlier):
                raise StepFailed(f"{self._file(version.name)} is missing or damaged (its SHA-256 is not the journal's)")
            self._put_in_place([*earlier[:-1], Published.now(version, earlier[-1].sha256)])
            write_latest(self.folder, "duckdb", self._entries()[-1])
        return self.current()

    def _entries(self) -> list[Published]:
        current = self.current()
        return self._journal.entries(current and Published.now(current, file_sha256(self.path)))

    def _file(self, version: str) -> Path:
        return self._versions / f"{version}.duckdb"

    def _is_whole(self, version: Version, entries: list[Published]) -> bool:
        """Say whether a version's kept file is the one the journal knows: it is never written twice."""
        kept = self._file(version.name)
        sha256 = {entry.version: entry.sha256 for entry in entries}.get(version.name)
        return kept.is_file() and file_sha256(kept) == sha256

    @contextmanager
    def _both_attached(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with open_session() as connection:
            connection.execute(f"attach {literal(str(self._warehouse))} as warehouse (read_only)")
            if self.path.exists():
                connection.execute(f"attach {literal(str(self.path))} as published (read_only)")
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
        """Copy the last entry's file over the published one by one rename, the journal first."""
        draft = self.folder / f".draft-{uuid4().hex}.duckdb"
        try:
            shutil.copyfile(self._file(entries[-1].version), draft)
            self._journal.write(entries)
            move_into_place(draft, self.path)
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _held_alone(self) -> Iterator[None]:
        """Keep other publishers out; raises StepFailed when one is at work. A killed one holds nothing."""
        self._versions.mkdir(parents=True, exist_ok=True)
        with (self._versions / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StepFailed("another process is publishing; wait for it to end") from error
            yield

    def _remove_drafts(self) -> None:
        """Clear what a killed publish left."""
        for folder in (self._versions, self.folder):
            for draft in folder.glob(".draft-*"):
                draft.unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Keep the newest versions' files, drop the older ones and those that were rolled back from."""
        kept = self._entries()[-kept_versions() :]
        self._journal.write(kept)
        write_latest(self.folder, "duckdb", kept[-1])
        names = [entry.version for entry in kept]
        for file in self._versions.glob("*.duckdb"):
            if file.stem not in names:
                file.unlink()


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
