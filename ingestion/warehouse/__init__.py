"""The warehouse: each engine is one module here, chosen by target name."""

from collections.abc import Callable

from ingestion.errors import BadRequest
from ingestion.settings import Home
from ingestion.warehouse.duckdb import DuckDBWarehouse
from ingestion.warehouse.interface import Warehouse
from ingestion.warehouse.postgres import PostgresWarehouse
from ingestion.warehouse.spark import SparkWarehouse
from ingestion.warehouse.tables import OPS, PIPELINE_STEPS, SOURCE_DAYS, BuildMark, RawTable, Rejects
from ingestion.warehouse.versions import stored

_ENGINES: dict[str, Callable[[Home], Warehouse]] = {
    "duckdb": DuckDBWarehouse,
    "postgres": PostgresWarehouse,
    "spark": SparkWarehouse,
}

__all__ = [
    "OPS",
    "PIPELINE_STEPS",
    "SOURCE_DAYS",
    "BuildMark",
    "RawTable",
    "Rejects",
    "Warehouse",
    "open_warehouse",
    "stored",
]


def open_warehouse(target: str, home: Home) -> Warehouse:
    """Return the warehouse of a dbt target; raises BadRequest on an unknown one."""
    if target not in _ENGINES:
        raise BadRequest(f"unknown target {target!r}; the targets are {', '.join(_ENGINES)}")
    return _ENGINES[target](home)
