"""Compare the marts before and after a change: rows, columns and hashes."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.digest import digest_rows, row_hash
from ingestion.session import memory_setting, open_session
from ingestion.sql import literal, quote
from pipeline.dbt.project import Mart, published_marts
from pipeline.publishing.changes import compare
from pipeline.slim_ci.state import State

_BEFORE, _AFTER = "before", "after"


@dataclass(frozen=True)
class Side:
    """A mart on one side of a change: columns with types, and a hash of the rows in any order."""

    rows: int
    content_hash: str
    columns: dict[str, str]


@dataclass(frozen=True)
class Difference:
    """A mart with different rows or columns; a side is None if the mart doesn't exist there."""

    mart: str
    before: Side | None
    after: Side | None
    words: str


def compare_marts(state: State, warehouse: Path) -> tuple[list[Difference], int]:
    """Return the differing marts, and the number of marts on either side."""
    marts = {mart.relation: mart for mart in published_marts()}
    names = sorted(marts.keys() | set(_marts_of(state)))
    with open_session(memory=memory_setting()) as connection:
        for path, name in ((state.warehouse, _BEFORE), (warehouse, _AFTER)):
            connection.execute(f"attach {literal(str(path))} as {name} (read_only)")
        # A removed mart is still in the copy, as built by the state.
        found = [_difference(connection, name, marts.get(name)) for name in names]
    return [difference for difference in found if difference], len(names)


def _marts_of(state: State) -> list[str]:
    """Return the marts and snapshots of the state's project, as `schema.table`."""
    nodes = json.loads((state.folder / "manifest.json").read_text(encoding="utf-8"))["nodes"].values()
    marts = [node for node in nodes if node["resource_type"] == "snapshot" or node["path"].startswith("marts/")]
    kinds = ("model", "snapshot")
    return [f"{node['schema']}.{node['alias']}" for node in marts if node["resource_type"] in kinds]


def _difference(connection: duckdb.DuckDBPyConnection, relation: str, mart: Mart | None) -> Difference | None:
    before = _side(connection, _BEFORE, relation)
    after = _side(connection, _AFTER, relation) if mart else None
    if before == after:
        return None
    if mart is None or before is None or after is None:
        return Difference(relation, before, after, "removed" if mart is None else "new" if after else "not built")
    change = compare(
        mart,
        lambda query: connection.execute(query).fetchall()[0],
        lambda relation, columns: row_hash(connection, relation, columns)[1],
        _name(_BEFORE, relation),
        _name(_AFTER, relation),
        (list(before.columns), list(after.columns)),
    )
    retyped = [
        f"column {name} {before.columns[name]} → {kind}"
        for name, kind in after.columns.items()
        if before.columns.get(name, kind) != kind
    ]
    return Difference(relation, before, after, "; ".join([*filter(None, [change.describe()]), *retyped]))


def _side(connection: duckdb.DuckDBPyConnection, database: str, relation: str) -> Side | None:
    schema, _, table = relation.partition(".")
    query = """
        select column_name, data_type from duckdb_columns()
        where database_name = ? and schema_name = ? and table_name = ? order by column_index
    """
    columns = dict(connection.execute(query, [database, schema, table]).fetchall())
    if not columns:
        return None
    name = _name(database, relation)
    digest = digest_rows(connection, name, list(columns))
    return Side(digest.rows, digest.content_hash, columns)


def _name(database: str, relation: str) -> str:
    return ".".join([database, *map(quote, relation.split("."))])
