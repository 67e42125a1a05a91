"""Great Expectations on the warehouse: read-only, by SQL, closed at the end of the block."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import great_expectations as gx
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.data_context import EphemeralDataContext
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.datasource.fluent.sql_datasource import QueryAsset
from sqlalchemy import Engine, create_engine

from ingestion.warehouse import Warehouse


@dataclass(frozen=True)
class Audit:
    """The warehouse for SQLAlchemy and for Great Expectations."""

    engine: Engine
    context: EphemeralDataContext
    url: str

    def batches(self, queries: dict[str, str]) -> dict[str, BatchDefinition]:
        """Return the rows of queries by name.

        They are registered all at once, because Great Expectations rewrites its whole configuration each time.
        """
        assets = [
            QueryAsset(name=name, query=query, batch_definitions=[BatchDefinition(name=name)])
            for name, query in queries.items()
        ]
        source = SQLDatasource(name="warehouse", connection_string=self.url, create_temp_table=False, assets=assets)
        registered = self.context.data_sources.add_sql(datasource=source)
        return {asset.name: asset.batch_definitions[0] for asset in registered.assets}


@contextmanager
def open_audit(warehouse: Warehouse) -> Iterator[Audit]:
    """Open the warehouse for reading; after the block, this process has no connection to it."""
    for name in ("great_expectations", "duckdb_engine"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    settings = DataContextConfig(store_backend_defaults=stores, progress_bars={"globally": False})
    with warnings.catch_warnings():
        # Libraries' warnings to each other's authors don't concern users.
        warnings.simplefilter("ignore")
        url = warehouse.audit_url()
        engine = create_engine(url)
        context = gx.get_context(mode="ephemeral", project_config=settings)
        try:
            yield Audit(engine, context, url)
        finally:
            engine.dispose()
            for datasource in context.data_sources.all().values():
                execution_engine = datasource.get_execution_engine()
                execution_engine.close()
                execution_engine.engine.dispose()
                datasource.get_engine().dispose()
