"""A dlt source as Arrow: dlt's extract and normalize write it into Parquet files, which are then read.

Nested values stay in their column as JSON text. dlt would make child tables, whose rows get new random ids every time.
"""

import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as dataset
import pyarrow.parquet as parquet

from ingestion.errors import BadRequest, StepFailed
from ingestion.redact import one_line, register_secret
from ingestion.settings import PROJECT, use_project_settings
from ingestion.source_settings import secret_texts
from ingestion.sources.base import Reading

if TYPE_CHECKING:
    from dlt.extract import DltResource, DltSource

_BATCH_ROWS = 50_000


class DltReading(Reading):
    """The tables of a dlt source, all written into files below a folder by the constructor."""

    def __init__(self, place: str, folder: Path, declared: dict[str, pa.Schema] | None = None):
        """Run the source at `place` (module:function); `declared` columns exist with their types on every day.

        Raises BadRequest when there is no such source, StepFailed when it fails or a column has values of two types.
        """
        for text in secret_texts():  # the user's code may put anything into an error
            register_secret(text)
        declared = declared or {}
        source = _find_source(place)
        names = _table_names(source)
        self.files, self._counts, self.primary_keys = _run(place, source, folder, declared)
        self._schemas = {table: schema for table, schema in declared.items() if table in names | self.files.keys()}
        for table, files in self.files.items():
            found = pa.unify_schemas([parquet.read_schema(file) for file in files])
            landed = {field.name: field.type for field in found if not field.name.startswith("_dlt_")}
            expected = dict(zip(declared[table].names, declared[table].types, strict=True)) if table in declared else {}
            self._schemas[table] = pa.schema(list((expected | landed).items()))

    def schemas(self) -> dict[str, pa.Schema]:
        return self._schemas

    def read(self, table: str) -> Iterator[pa.Table]:
        if table in self.files:
            rows = dataset.dataset(self.files[table], schema=self._schemas[table])
            for batch in rows.to_batches(batch_size=_BATCH_ROWS):
                yield pa.Table.from_batches([batch])

    def count(self, table: str) -> int:
        return self._counts[table]


def _find_source(place: str) -> "DltSource":
    """Import and call `module:function` from the project's root; raises BadRequest unless it returns a dlt source."""
    use_project_settings()
    import dlt
    from dlt.extract import DltResource, DltSource

    module, _, function = place.partition(":")
    if not module or not function:
        raise BadRequest(f"{place!r} is no resource: expected module:function, such as my_sources.tides:tides")
    if str(PROJECT) not in sys.path:
        sys.path.append(str(PROJECT))
    try:
        made = getattr(import_module(module), function)()
    except Exception as error:
        raise BadRequest(f"{place} can't be used: {one_line(error)}") from error
    if isinstance(made, DltResource):
        resource = made
        made = dlt.source(lambda: resource, name=resource.section or "own")()
    if not isinstance(made, DltSource):
        raise BadRequest(f"{place} gives no @dlt.source and no @dlt.resource")
    return made


def _table_names(source: "DltSource") -> set[str]:
    """Return the tables that are known before a row is read; tables named by their rows aren't among them."""
    named = [resource.table_name for resource in source.selected_resources.values()]
    return {source.schema.naming.normalize_table_identifier(name) for name in named if isinstance(name, str)}


def _run(
    place: str, source: "DltSource", folder: Path, declared: dict[str, pa.Schema]
) -> tuple[dict[str, list[str]], Counter[str], dict[str, tuple[str, ...]]]:
    """Let dlt write the source's rows below a folder; return files, row counts and primary keys by table."""
    import dlt

    source.max_table_nesting = 0
    for resource in source.selected_resources.values():
        resource.max_table_nesting = 0
        _declare(resource, source.schema.naming.normalize_identifier, declared)
    # Nothing is loaded there; it defines how the files are written.
    nowhere = dlt.destination(
        lambda items, table: None, name="nowhere", loader_file_format="parquet", naming_convention="snake_case"
    )
    with _working_folder(folder) as working:
        pipeline = dlt.pipeline(f"read_{source.name}", pipelines_dir=working, destination=nowhere)
        try:
            extracted = pipeline.extract(source, schema_contract={"data_type": "freeze"})
            pipeline.normalize()
            found: dict[str, list[str]] = {}
            for load in pipeline.list_normalized_load_packages():
                for job in pipeline.get_load_package_info(load).jobs["new_jobs"]:
                    file = _brought_into(folder, job.file_path)
                    found.setdefault(job.job_file_info.table_name, []).append(str(file))
        except Exception as error:
            raise StepFailed(f"{place}: {_describe_failure(error)}") from error
        finally:
            pipeline.deactivate()
    counts: Counter[str] = Counter()
    for metrics in (one for several in extracted.metrics.values() for one in several):
        counts.update({table: metric.items_count for table, metric in metrics["table_metrics"].items()})
    tables = {table: sorted(files) for table, files in found.items() if not table.startswith("_dlt_")}
    keys = {
        table: tuple(
            name for name, column in source.schema.get_table_columns(table).items() if column.get("primary_key")
        )
        for table in tables
    }
    return tables, counts, keys


@contextmanager
def _working_folder(folder: Path) -> Iterator[str]:
    """Make a folder and yield its path, or a temporary one's if the path has a %, which dlt takes for a placeholder."""
    folder.mkdir(parents=True, exist_ok=True)
    if "%" not in str(folder):
        yield str(folder)
        return
    with TemporaryDirectory(prefix="tradewinds-") as temporary:
        yield temporary


def _brought_into(folder: Path, file: str) -> Path:
    """Return the path of a file below the folder, to which it is copied from a temporary one."""
    path = Path(file)
    return path if path.resolve().is_relative_to(folder.resolve()) else Path(shutil.copy(path, folder / path.name))


def _declare(resource: "DltResource", normalize: Callable[[str], str], declared: dict[str, pa.Schema]) -> None:
    """Give the declared types to the columns that have none in the resource itself."""
    from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns

    schema = declared.get(normalize(resource.table_name)) if isinstance(resource.table_name, str) else None
    if schema is not None:
        own = resource.columns if isinstance(resource.columns, dict) else {}
        typed = {normalize(name) for name, hints in own.items() if "data_type" in hints}
        columns = py_arrow_to_table_schema_columns(schema)
        kept = ("data_type", "precision", "scale", "timezone")
        hints: dict[str, Any] = {
            name: {hint: value for hint, value in columns[name].items() if hint in kept}
            for name in schema.names
            if name not in typed
        }
        resource.apply_hints(columns=hints)


def _describe_failure(error: BaseException) -> str:
    """Return the innermost cause in one line; dlt's error about a second type is reworded."""
    from dlt.common.schema.exceptions import DataValidationError

    cause: Any = error
    while (inner := cause.__cause__ or cause.__context__) and not isinstance(cause, DataValidationError):
        cause = inner
    if isinstance(cause, DataValidationError) and cause.schema_entity == "data_type":
        column = str(cause.column_name).partition("__v_")[0]
        return (
            f"table {cause.table_name}: the values of {column} have more than one type; "
            f'say which is meant: @dlt.resource(columns={{"{column}": {{"data_type": "text"}}}})'
        )
    return one_line(cause)
