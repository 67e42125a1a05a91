"""Great Expectations on the warehouse: read-only, by SQL, and closed when the block ends."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import great_expectations as gx
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
from great_expectations.datasource.fluent import SQLDatasource
from sqlalchemy import Engine

from ingestion.warehouse import Warehouse


@dataclass(frozen=True)
class Audit:
    """The warehouse as Great Expectations and SQLAlchemy see it, over the same connections."""

    datasource: SQLDatasource
    engine: Engine


@contextmanager
def open_audit(warehouse: Warehouse) -> Iterator[Audit]:
    """Open the warehouse for reading; when the block ends no connection to it is left in this process."""
    for name in ("great_expectations", "duckdb_engine"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        # What libraries recommend to each other's authors is no message to who runs a day.
        warnings.simplefilter("ignore")
        yield from _open(warehouse)


def _open(warehouse: Warehouse) -> Iterator[Audit]:
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    settings = DataContextConfig(store_backend_defaults=stores, progress_bars={"globally": False})
    context = gx.get_context(mode="ephemeral", project_config=settings)
    datasource = context.data_sources.add_sql("warehouse", connection_string=warehouse.audit_url())
    datasource.create_temp_table = False
    engine = datasource.get_engine()
    try:
        yield Audit(datasource, engine)
    finally:
        execution_engine = datasource.get_execution_engine()
        execution_engine.close()
        execution_engine.engine.dispose()
        engine.dispose()
