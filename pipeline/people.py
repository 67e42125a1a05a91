"""Connect the command line and the people service: its database, its sample, the published marts."""

from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING

from ingestion.errors import StepFailed
from ingestion.redact import one_line
from ingestion.settings import Home, people_database_url
from people_api.published import Report
from pipeline.dbt.project import Mart, exports
from pipeline.publishing import Publisher

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def people_ready(home: Home) -> Iterator[None]:
    """Keep the embedded people database running, filled with the sample if it is empty; do nothing for your own."""
    if people_database_url():
        yield
        return
    from ingestion.samples.defaults import sample_people as sample_files
    from people_api.sample import sample_people

    with sample_people(home, sample_files):
        yield


@contextmanager
def people_engine(home: Home) -> Iterator["Engine"]:
    """Open and migrate the people database; raises StepFailed when it can't be reached or changed."""
    from sqlalchemy.exc import DBAPIError

    from people_api.database import migrate, open_engine, people_database

    with people_database(home) as url, open_engine(url) as engine:
        migrate(engine)
        try:
            yield engine
        except DBAPIError as error:
            raise StepFailed(f"the people database refused: {one_line(error.orig or error)}") from error


def read_report(publisher: Publisher, mart: str, year: int) -> Report | None:
    """Return a published mart's rows of a year as its export has them, None before the first publish."""
    relation = f"people.{mart}"
    found = publisher.read(Mart(relation), "hire_year", year)
    if found is None:
        return None
    rows = [dict(zip(found.columns, values, strict=True)) for values in found.values]
    (export,) = (export for export in exports() if export.relation == relation)
    for column in reversed(export.order_by):
        name, _, direction = column.partition(" ")
        rows.sort(key=itemgetter(name), reverse=direction == "desc")
    columns = export.columns or found.columns
    return Report(found.version.name, columns, [{name: row[name] for name in columns} for row in rows])
