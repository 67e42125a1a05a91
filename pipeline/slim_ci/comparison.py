"""Compare the marts before and after a change: rows, columns and hashes; report it for its pull request."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import jinja2

from ingestion.digest import short_hash
from ingestion.session import memory_setting, open_session
from ingestion.sql import literal
from pipeline.dbt.project import Mart, published_marts
from pipeline.publishing.duckdb_marts import columns_of, compare_mart, digest_mart
from pipeline.slim_ci.changed import Built
from pipeline.slim_ci.state import State

_TEMPLATE = Path(__file__).with_name("templates") / "changes.md"
_BEFORE, _AFTER = "before", "after"


@dataclass(frozen=True)
class Side:
    """A mart on one side of a change: columns with types, and a hash of the rows in any order."""

    rows: int
    content_hash: str
    columns: dict[str, str]

    @property
    def figures(self) -> list[str]:
        return [f"{self.rows:,}", str(len(self.columns)), f"`{short_hash(self.content_hash)}`"]


@dataclass(frozen=True)
class Difference:
    """A mart with different rows or columns; a side is None if the mart doesn't exist there."""

    mart: str
    before: Side | None
    after: Side | None
    words: str

    @property
    def figures(self) -> list[str]:
        """The rows, columns and hash, on both sides if they differ."""
        before, after = (side.figures if side else ["–"] * 3 for side in (self.before, self.after))
        return [new if old == new else f"{old} → {new}" for old, new in zip(before, after, strict=True)]


def render_report(state: State, built: Built, differences: list[Difference], marts: int) -> str:
    """Return the report as Markdown: what was built, errors, and each mart that differs."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    template = jinja2.Template(text, trim_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    return template.render(state=state, built=built, differences=differences, marts=marts)


def compare_marts(state: State, warehouse: Path) -> tuple[list[Difference], int]:
    """Return the differing marts, and the number of marts on either side."""
    marts = {mart.relation: mart for mart in published_marts()}
    names = sorted(marts.keys() | set(_marts_of(state)))
    with open_session(memory=memory_setting()) as connection:
        for path, name in ((state.warehouse, _BEFORE), (warehouse, _AFTER)):
            connection.execute(f"attach {literal(str(path))} as {name} (read_only)")
        # A removed mart is still in the copy, as built by the state.
        found = [_difference(connection, marts.get(name, Mart(name)), name in marts) for name in names]
    return [difference for difference in found if difference], len(names)


def _marts_of(state: State) -> list[str]:
    """Return the marts and snapshots of the state's project, as `schema.table`."""
    nodes = json.loads((state.folder / "manifest.json").read_text(encoding="utf-8"))["nodes"].values()
    marts = [node for node in nodes if node["resource_type"] == "snapshot" or node["path"].startswith("marts/")]
    kinds = ("model", "snapshot")
    return [f"{node['schema']}.{node['alias']}" for node in marts if node["resource_type"] in kinds]


def _difference(connection: duckdb.DuckDBPyConnection, mart: Mart, is_there: bool) -> Difference | None:
    before = _side(connection, _BEFORE, mart)
    after = _side(connection, _AFTER, mart) if is_there else None
    if before == after:
        return None
    if before is None or after is None:
        words = "removed" if not is_there else "new" if after else "not built"
        return Difference(mart.relation, before, after, words)
    retyped = [
        f"column {name} {before.columns[name]} → {kind}"
        for name, kind in after.columns.items()
        if before.columns.get(name, kind) != kind
    ]
    told = compare_mart(connection, mart, _BEFORE, _AFTER).describe()
    return Difference(mart.relation, before, after, "; ".join([*filter(None, [told]), *retyped]))


def _side(connection: duckdb.DuckDBPyConnection, database: str, mart: Mart) -> Side | None:
    columns = columns_of(connection, database, mart)
    if not columns:
        return None
    digest = digest_mart(connection, database, mart)
    return Side(digest.rows, digest.content_hash, columns)
