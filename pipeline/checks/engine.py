"""Great Expectations on the warehouse: read-only, by SQL, and closed when the block ends."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import great_expectations as gx
from great_expectations.data_context import EphemeralDataContext
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.datasource.fluent.sql_datasource import QueryAsset
from sqlalchemy import Engine, create_engine

from ingestion.warehouse import Warehouse


@dataclass(frozen=True)
class Audit:
    """The warehouse as SQLAlchemy sees it, and as Great Expectations does."""

    engine: Engine
    context: EphemeralDataContext
    url: str

    @contextmanager
    def tables(self, name: str, queries: dict[str, str]) -> Iterator[dict[str, QueryAsset]]:
        """Hand out what the queries select, by their names.

        They are made known all at once: each time, Great Expectations writes down everything that it knows.
        """
        assets = [QueryAsset(name=table, query=query) for table, query in queries.items()]
        datasource = SQLDatasource(name=name, connection_string=self.url, create_temp_table=False, assets=assets)
        datasource = self.context.data_sources.add_sql(datasource=datasource)
        try:
            yield {asset.name: asset for asset in datasource.assets}
        finally:
            execution_engine = datasource.get_execution_engine()
            execution_engine.close()
            execution_engine.engine.dispose()
            datasource.get_engine().dispose()


@contextmanager
def open_audit(warehouse: Warehouse) -> Iterator[Audit]:
    """Open the warehouse for reading; when the block ends no connection to it is left in this process."""
    for name in ("great_expectations", "duckdb_engine"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    settings = DataContextConfig(store_backend_defaults=stores, progress_bars={"globally": False})
    with warnings.catch_warnings():
        # What libraries recommend to each other's authors is no message to who runs a day.
        warnings.simplefilter("ignore")
        url = warehouse.audit_url()
        engine = create_engine(url)
        try:
            yield Audit(engine, gx.get_context(mode="ephemeral", project_config=settings), url)
        finally:
            engine.dispose()
