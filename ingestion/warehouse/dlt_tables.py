"""Create raw tables and add columns with dlt, which owns them on every engine; each raw schema is a dlt pipeline.

Only writers import this module: importing dlt takes half a second.
"""

from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt import destinations
from dlt.common.destination.exceptions import DestinationException
from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_table

from ingestion.errors import StepFailed
from ingestion.redact import one_line

_NAMING = "ingestion.naming"
_SINGLE_PRECISION = 32


def create_or_extend(engine: str, credentials: Any, wanted: dict[tuple[str, str], pa.Schema], pipelines: Path) -> None:
    """Create missing tables (by schema and name) and add new columns; drop and change nothing.

    `engine` is dlt's name of a destination; dlt's commands find the pipelines in the folder. This is a separate
    transaction: a load that fails later leaves at most an empty table or column. Raises StepFailed.
    """
    make = getattr(destinations, engine)
    # dlt makes every float double, which would change the decimal text of single floats.
    mapper = _keep_single_precision(make().capabilities().type_mapper)
    destination = make(credentials, naming_convention=_NAMING, type_mapper=mapper)
    by_schema: dict[str, dict[str, pa.Schema]] = {}
    for (raw_schema, name), columns in wanted.items():
        by_schema.setdefault(raw_schema, {})[name] = columns
    for raw_schema, columns in by_schema.items():
        schema = Schema(raw_schema, normalizers={"names": _NAMING})
        for name, arrow_schema in columns.items():
            schema.update_table(new_table(name, columns=_dlt_columns(arrow_schema)))
        schema = Schema.from_dict(dict(schema.to_dict()))
        configuration = destination.spec()._bind_dataset_name(dataset_name=raw_schema)
        try:
            with destination.client(schema, configuration) as client:
                client.initialize_storage()
                client.update_stored_schema(force=True)
        except DestinationException as error:
            raise StepFailed(f"the warehouse: {one_line(error)}") from error
        if "%" not in str(pipelines):  # dlt takes it for a placeholder
            _keep_pipeline(pipelines, schema, make())


def _keep_pipeline(folder: Path, schema: Schema, destination: Any) -> None:
    """Keep a raw schema's tables where `dlt pipeline` and `dlt.attach` look for them."""
    pipeline: Any = dlt.pipeline(schema.name, str(folder), destination=destination, dataset_name=schema.name)
    try:
        known = pipeline.schemas[schema.name].tables if schema.name in pipeline.schemas else {}
        seen = {"x-normalizer": {"seen-data": True}}
        tables = {name: table | seen for name, table in (known | schema.tables).items()}
        whole = Schema.from_dict(dict(schema.to_dict()) | {"tables": tables})
        with pipeline.managed_state():
            pipeline.schemas.save_schema(whole)
            pipeline.default_schema_name = schema.name
    finally:
        pipeline.deactivate()


def _dlt_columns(arrow_schema: pa.Schema) -> list[Any]:
    columns = py_arrow_to_table_schema_columns(arrow_schema)
    for field in arrow_schema:
        if field.type == pa.float32():
            columns[field.name]["precision"] = _SINGLE_PRECISION
    return list(columns.values())


def _keep_single_precision(mapper: type) -> type:
    class Mapper(mapper):
        def to_destination_type(self, column: Any, table: Any) -> str:
            if column["data_type"] == "double" and column.get("precision") == _SINGLE_PRECISION:
                return "real"
            return super().to_destination_type(column, table)

    return Mapper
