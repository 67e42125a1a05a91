"""Publishing on DuckDB: the marts go into a file of their own, put in place by one rename."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import duckdb

from ingestion.digest import file_sha256, rows_hash
from ingestion.errors import StepFailed
from ingestion.files import move_into_place, write_atomically
from ingestion.redact import one_line
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.sources.postgres import literal
from ingestion.sources.postgres_types import quote
from ingestion.warehouse.duckdb import DuckDBWarehouse
from pipeline.publishing.base import Version, combined_hash

# Clients from DuckDB 1.4 on open this format; 2.0's own they can't.
_STORAGE_VERSION = "v1.4.0"
# Inside the file, so that what it is and what it holds can never come apart.
_VERSION_TABLE = "main.published_version"


class DuckDBPublisher:
    """`published/tradewinds.duckdb`, with every version kept as `published/versions/<run_date>-<hash>.duckdb`."""

    def __init__(self, home: Home):
        self.folder = home.published
        self.path = self.folder / "tradewinds.duckdb"
        self._warehouse = DuckDBWarehouse(home).path

    def current(self) -> Version | None:
        if not self.path.exists():
            return None
        try:
            with open_session(self.path, read_only=True) as connection:
                query = f"select run_date::varchar, content_hash from {_VERSION_TABLE}"
                return Version(*connection.execute(query).fetchone())
        except duckdb.Error as error:
            raise StepFailed(f"the published file {self.path} can't be read: {one_line(error)}") from error

    def publish(self, run_date: str, marts: list[str]) -> tuple[Version, dict[str, int]]:
        versions = self.folder / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        self._remove_drafts(versions)
        draft = versions / f".draft-{uuid4().hex}.duckdb"
        try:
            version, rows = self._copy_marts(draft, run_date, marts)
            kept = versions / f"{version.name}.duckdb"
            if not kept.exists():
                move_into_place(draft, kept)
            self._put_in_place(kept)
        except (duckdb.Error, OSError) as error:
            raise StepFailed(f"the marts can't be published: {one_line(error)}") from error
        finally:
            draft.unlink(missing_ok=True)
        return version, rows

    def _copy_marts(self, draft: Path, run_date: str, marts: list[str]) -> tuple[Version, dict[str, int]]:
        rows, hashes = {}, []
        with open_session() as connection:
            connection.execute(f"attach {literal(str(self._warehouse))} as warehouse (read_only)")
            connection.execute(f"attach {literal(str(draft))} as published (storage_version '{_STORAGE_VERSION}')")
            for mart in marts:
                schema, table = map(quote, mart.split("."))
                connection.execute(f"create schema if not exists published.{schema}")
                connection.execute(f"create table published.{schema}.{table} as from warehouse.{schema}.{table}")
                copied = f"published.{schema}.{table}"
                columns = [row[0] for row in connection.execute(f"describe {copied}").fetchall()]
                rows[mart] = connection.execute(f"select count(*) from {copied}").fetchone()[0]
                hashes.append([mart, rows_hash(connection, copied, columns)])
            content_hash = combined_hash(hashes)
            connection.execute(
                f"create table published.{_VERSION_TABLE} as select ?::date as run_date, ? as content_hash",
                [run_date, content_hash],
            )
            connection.execute("detach published")
        return Version(run_date, content_hash), rows

    def _put_in_place(self, kept: Path) -> None:
        """Copy a kept version over the published file by one rename, then say so in `latest.json`."""
        draft = self.folder / f".draft-{uuid4().hex}.duckdb"
        try:
            shutil.copyfile(kept, draft)
            move_into_place(draft, self.path)
        finally:
            draft.unlink(missing_ok=True)
        version = self.current()
        latest = {
            "run_date": version.run_date,
            "version": version.name,
            "content_hash": version.content_hash,
            "sha256": file_sha256(self.path),
            "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_atomically(self.folder / "latest.json", json.dumps(latest, indent=1) + "\n")

    def _remove_drafts(self, versions: Path) -> None:
        """Clear what a killed publish left; the warehouse's one writer is also the only publisher."""
        for folder in (versions, self.folder):
            for draft in folder.glob(".draft-*"):
                draft.unlink(missing_ok=True)
