"""A source that is a `@dlt.source` or `@dlt.resource` of the project, named in the settings as module:function."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ingestion.errors import BadRequest
from ingestion.landing import Manifest
from ingestion.session import open_session
from ingestion.settings import Home, source_setting
from ingestion.sources.base import Source
from ingestion.sources.duckdb_types import duckdb_types
from ingestion.sources.looking import Looked, LookedTable, check_names, look_at_table
from ingestion.sql import literal

if TYPE_CHECKING:
    from ingestion.sources.dlt_reading import DltReading


@dataclass(frozen=True)
class DltSource(Source):
    """The dlt source that the configured function returns; every extract reads all of it."""

    @property
    def place(self) -> str | None:
        """Its module:function."""
        return source_setting(self.name, "resource")

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path, before: Manifest | None = None) -> Iterator["DltReading"]:
        from ingestion.sources.dlt_reading import DltReading

        with self.located(home) as resource:
            yield DltReading(resource, work / "read", self.declared_schemas())


def look_at_dlt(name: str, *, resource: list[str]) -> Looked:
    """Run a dlt source once; raises BadRequest when its tables can't be a source's, StepFailed when it fails."""
    from ingestion.sources.dlt_reading import DltReading

    if len(resource) > 1:
        raise BadRequest("--kind dlt takes one --resource; a @dlt.source may have several resources")
    (place,) = resource
    with TemporaryDirectory() as folder:
        reading = DltReading(place, Path(folder))
        schemas = reading.schemas()
        if not schemas:
            raise BadRequest(f"{place} yielded no rows, so its columns are unknown")
        check_names(place, {table: schema.names for table, schema in schemas.items()})
        tables = [_look_at_table(reading, table) for table in schemas]
    return Looked(title="A dlt resource", origin="resource", tables=tables, settings={"resource": place})


def _look_at_table(reading: "DltReading", table: str) -> LookedTable:
    columns, declared = duckdb_types(reading.schemas()[table]), reading.primary_keys[table]
    relation = f"read_parquet([{', '.join(map(literal, reading.files[table]))}], union_by_name = true)"
    with open_session() as session:
        return look_at_table(
            table, columns, lambda query: session.execute(query).fetchall()[0], relation, declared=declared
        )
