"""Publishing on Spark: a version is a tag on the built Iceberg tables, and one row names the one that readers see."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import pyarrow as pa

from ingestion.digest import Digest, is_comparable
from ingestion.errors import Refused, StepFailed
from ingestion.settings import Home
from ingestion.sql import name_of, quote
from ingestion.stores import open_store
from ingestion.warehouse.spark import SparkWarehouse
from ingestion.warehouse.spark_session import errors_in_one_line, joined_session
from pipeline.dbt.project import Mart
from pipeline.publishing.base import Answer, Rows, Version, combined_hash, held_alone, kept_versions, version_of
from pipeline.publishing.changes import Change, compare
from pipeline.publishing.journal import Published, appended, taken_back, write_latest
from pipeline.publishing.limits import Limits
from pipeline.publishing.spark_tables import Tables


class SparkPublisher:
    """Publishes the catalog's tables at a version's tag, such as `sales.fct_orders version as of '2021-01-01-…'`."""

    def __init__(self, home: Home):
        self._store = open_store(home.published, home.work, is_shared=True)
        self._warehouse = SparkWarehouse(home)
        self._digests: dict[tuple[str, int], Digest] = {}

    @property
    def place(self) -> str:
        place, catalog = self.namespace
        return f"Iceberg catalog {catalog} at {place}"

    @property
    def namespace(self) -> tuple[str, str]:
        return self._warehouse.namespace

    def reader_connection(self) -> dict[str, str | int]:
        return {"type": "spark", "method": "session", "host": "none", "schema": "default"}

    def relations(self) -> list[str]:
        with _tables() as tables:
            entries = tables.entries()
        return sorted(entries[-1][1]) if entries else []

    def current(self) -> Version | None:
        with _tables() as tables:
            entries = tables.entries()
        return entries[-1][0].of if entries else None

    def read(self, mart: Mart, column: str, value: int) -> Rows | None:
        with _tables() as tables:
            entries = tables.entries()
            if not entries or mart.relation not in entries[-1][1]:
                return None
            version = entries[-1][0].of
            rows = f"select * from {tables.at(mart.relation, version.name)} where {quote(column)} = {int(value)}"
            found = tables.spark.sql(rows)
            return Rows(version, found.columns, [tuple(row) for row in found.collect()])

    def answering(self, statement: str, limits: Limits | None = None) -> AbstractContextManager[Answer | None]:
        with _tables() as tables:
            entries = tables.entries()
        if not entries:
            return nullcontext()
        from pipeline.publishing.spark_reading import answering

        version, marts = entries[-1]
        return answering(tables, sorted(marts), version.version, statement, limits)

    @contextmanager
    def reading(self) -> Iterator[tuple[Version, Callable[[Mart], pa.RecordBatchReader]]]:
        version = self.current()
        assert version, "read only after a publish"
        with _tables() as tables:
            yield version, lambda mart: tables.reading(mart.relation, tag=version.name)

    def held_alone(self) -> AbstractContextManager[None]:
        return held_alone(self._store)

    def changes(self, marts: list[Mart]) -> list[Change]:
        with _tables() as tables:
            built, entries = self._digest(tables, tables.snapshots(_names(marts))), tables.entries()
            published = entries[-1][1] if entries else {}
            return [
                Change(mart.relation)
                if published.get(mart.relation) == built[mart.relation]
                else _compare(tables, mart, entries[-1][0].version if mart.relation in published else None)
                for mart in marts
            ]

    def publish(self, run_date: str, marts: list[Mart]) -> tuple[Version, dict[str, int]]:
        kept_versions()  # report an unreadable setting before writing anything
        with self.held_alone(), _tables() as tables:
            snapshots = tables.snapshots(_names(marts))
            mark = self._warehouse.build_mark()
            if mark is None or (mark.run_date, mark.state) != (run_date, "built"):
                raise Refused("another build has begun meanwhile")
            digests, entries = self._digest(tables, snapshots), tables.entries()
            current = entries[-1][0].of if entries else None
            version = version_of(run_date, digests, current, lambda: self._digest_published(tables, marts))
            if version != current:
                tables.tag(snapshots, version.name)
                newest = Published.now(version)
                known = dict(entries) | {newest: digests}
                entries = [(entry, known[entry]) for entry in appended([entry for entry, _ in entries], newest)]
                tables.write(entries)
                tables.point_to(newest)
            self._tidy(tables, entries)
        return version, {mart: digest.rows for mart, digest in digests.items()}

    def rollback(self, to: str | None = None) -> Version:
        with self.held_alone(), _tables() as tables:
            entries = tables.entries()
            earlier = taken_back([entry for entry, _ in entries], to)
            version, digests = earlier[-1].of, dict(entries)[earlier[-1]]
            missing = [mart for mart in digests if not tables.has(mart, version.name)]
            found = {} if missing else {mart: tables.digest(mart, tag=version.name) for mart in digests}
            if missing or (is_comparable(version.content_hash) and combined_hash(found) != version.content_hash):
                raise StepFailed(f"version {version.name} is missing or damaged (its rows' hash is not the version's)")
            newest = Published.now(version)
            entries = [*entries[: len(earlier) - 1], (newest, digests)]
            # Readers first: the journal is cut at the version that they see.
            tables.point_to(newest)
            self._tidy(tables, entries)
        return version

    def tidy(self, *, dry_run: bool = False) -> int:
        with self.held_alone(), _tables() as tables:
            entries = tables.entries()
            freed = tables.surplus([entry.version for entry, _ in entries[-kept_versions() :]]) if entries else 0
            if entries and not dry_run:
                self._tidy(tables, entries)
        return freed

    def _tidy(self, tables: Tables, entries: list[tuple[Published, dict[str, Digest]]]) -> None:
        """Write what is published, and drop versions that are too old or were rolled back."""
        kept = entries[-kept_versions() :]
        if kept != tables.entries():
            tables.write(kept)
        write_latest(self._store, "spark", kept[-1][0])
        tables.keep_only([entry.version for entry, _ in kept])

    def _digest(self, tables: Tables, snapshots: dict[str, int]) -> dict[str, Digest]:
        """Digest built marts, each snapshot once for comparison and publish."""
        for mart, snapshot in snapshots.items():
            if (mart, snapshot) not in self._digests:
                self._digests[mart, snapshot] = tables.digest(mart, snapshot=snapshot)
        return {mart: self._digests[mart, snapshot] for mart, snapshot in snapshots.items()}

    def _digest_published(self, tables: Tables, marts: list[Mart]) -> dict[str, Digest]:
        version, held = tables.entries()[-1]
        return {name: tables.digest(name, tag=version.version) for name in _names(marts) if name in held}


def _names(marts: list[Mart]) -> list[str]:
    return [mart.relation for mart in marts]


def _compare(tables: Tables, mart: Mart, tag: str | None) -> Change:
    built = name_of(*mart.place)
    published = tables.at(mart.relation, tag) if tag else None
    before, after = (
        dict(tables.spark.sql(f"select * from {rows}").dtypes) if rows else {} for rows in (published, built)
    )
    return compare(mart, tables.row, _row_hash, published, built, (before, after))


def _row_hash(_: str, columns: list[str]) -> str:
    """Return SQL for a row's hash, a decimal, whose sums don't overflow; Spark's own passes NULLs over."""
    values = ", ".join(f"{quote(name)}, {quote(name)} is null" for name in columns)
    return f"cast(xxhash64({values}) as decimal(20, 0))"


@contextmanager
def _tables() -> Iterator[Tables]:
    with errors_in_one_line():
        yield Tables(joined_session())
