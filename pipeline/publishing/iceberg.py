"""Mirror the published version into an Iceberg catalog, for readers of a lakehouse.

Each mart is one table, `<schema>.<mart>`. A version is a snapshot of every table, tagged with the version's name, with
all of the mart's rows. `tradewinds.published` has one row: the version that readers see. It changes last, at once.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from ingestion.errors import BadRequest, StepFailed
from ingestion.redact import one_line, register_secret
from pipeline.dbt.project import Mart
from pipeline.publishing.base import Publisher, Version, kept_versions

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

SETTING = "TRADEWINDS_ICEBERG_CATALOG"
POINTER = ("tradewinds", "published")
_BRANCH = "publishing"
_POINTER_COLUMNS = pa.schema([("version", pa.string()), ("run_date", pa.string())])
_SECRETS = ("CREDENTIAL", "KEY", "PASSWORD", "SECRET", "TOKEN", "URI")


def mirror_version(name: str, publisher: Publisher) -> None:
    """Make the published version the one that the catalog's readers see.

    A version that the catalog has isn't written again. Raises BadRequest when the catalog isn't configured, StepFailed
    when it can't be written; readers then see the version before.
    """
    with _one_line_errors(name), publisher.held_alone(), publisher.reading() as (version, read):
        catalog = _open(name)
        tables = [_with_version(catalog, Mart(relation), read, version.name) for relation in publisher.relations()]
        _point_to(catalog, version)
        for table in tables:
            _show(table, version.name)


def _open(name: str) -> "Catalog":
    from pyiceberg.catalog import load_catalog

    for variable, value in os.environ.items():
        if variable.startswith("PYICEBERG_") and variable.endswith(_SECRETS):
            register_secret(value)
    try:
        return load_catalog(name)
    except ValueError as error:  # PyIceberg names what it lacks
        raise BadRequest(f"{SETTING}: catalog {name!r} isn't configured for PyIceberg: {one_line(error)}") from error


def _with_version(catalog: "Catalog", mart: Mart, read: Callable[[Mart], pa.RecordBatchReader], tag: str) -> "Table":
    """Return the mart's table with a complete snapshot of this version."""
    if catalog.table_exists(mart.place) and tag in (table := catalog.load_table(mart.place)).refs():
        return table
    rows = read(mart)
    catalog.create_namespace_if_not_exists(mart.place[0])
    table = catalog.create_table_if_not_exists(mart.place, rows.schema)
    _fit_columns(table, rows.schema)
    if table.current_snapshot() is None:  # without one, a table has no place for a branch
        table.append(rows.schema.empty_table())
    if _BRANCH in table.refs():  # of a publish that was cut off
        table.manage_snapshots().remove_branch(_BRANCH).commit()
    table.append(rows, branch=_BRANCH)  # a new branch begins empty, so the snapshot has these rows alone
    written = table.refs()[_BRANCH].snapshot_id
    table.manage_snapshots().create_tag(written, tag).remove_branch(_BRANCH).commit()
    return table


def _fit_columns(table: "Table", columns: pa.Schema) -> None:
    """Give the table these columns; earlier versions keep theirs. Raises ValidationError when a type can't change."""
    if gone := set(table.schema().column_names) - set(columns.names):
        with table.update_schema(allow_incompatible_changes=True) as update:
            for name in gone:
                update.delete_column(name)
    with table.update_schema() as update:
        update.union_by_name(columns)


def _point_to(catalog: "Catalog", version: Version) -> None:
    """Make this the version that readers see, in one commit."""
    catalog.create_namespace_if_not_exists(POINTER[0])
    pointer = catalog.create_table_if_not_exists(POINTER, _POINTER_COLUMNS)
    row = pa.Table.from_pylist([{"version": version.name, "run_date": version.run_date}], _POINTER_COLUMNS)
    shown = pointer.scan().to_arrow()
    if shown.num_rows == 0:
        pointer.append(row)
    elif not shown.equals(row):
        pointer.overwrite(row)


def _show(table: "Table", tag: str) -> None:
    """Make the version the table's current snapshot, and drop the tags and snapshots beyond those kept for rollback."""
    shown = table.refs()[tag].snapshot_id
    if (current := table.current_snapshot()) is None or current.snapshot_id != shown:
        table.manage_snapshots().set_current_snapshot(ref_name=tag).commit()
    times = {snapshot.snapshot_id: snapshot.timestamp_ms for snapshot in table.snapshots()}
    tags = {name: ref.snapshot_id for name, ref in table.refs().items() if ref.snapshot_ref_type.value == "tag"}
    oldest_first = sorted(tags, key=lambda name: times[tags[name]])
    for name in oldest_first[: -kept_versions()]:
        if name != tag:
            table.manage_snapshots().remove_tag(name).commit()
    kept = {ref.snapshot_id for ref in table.refs().values()}
    for snapshot in [snapshot for snapshot in table.snapshots() if snapshot.snapshot_id not in kept]:
        files = [entry.data_file.file_path for manifest in snapshot.manifests(table.io)
                 for entry in manifest.fetch_manifest_entry(table.io)]  # fmt: skip
        table.maintenance.expire_snapshots().by_id(snapshot.snapshot_id).commit()
        for file in files:  # a snapshot shares no file with another
            table.io.delete(file)


@contextmanager
def _one_line_errors(catalog: str) -> Iterator[None]:
    """Turn what PyIceberg and its stores raise, which has no common class, into StepFailed."""
    try:
        yield
    except (BadRequest, StepFailed):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise StepFailed(f"the version can't be written to the Iceberg catalog {catalog}: {reason}") from error
