"""The same landing gives the same rows on every engine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.settings import Home
from ingestion.warehouse import open_warehouse
from pipeline.project import published_relations
from tests.python.conftest import Sandbox

DAY = "2021-01-01"
# What `ops` says of runs differs from run to run, and so from engine to engine.
RELATIONS = [relation for relation in published_relations() if not relation.startswith("ops.")]


@pytest.fixture(scope="module")
def rows(shared_sandbox: Sandbox) -> Iterator[dict[str, dict[str, list[str]]]]:
    """Every mart's and snapshot's rows as sorted text, by engine."""
    found, exports = {}, {}
    with shared_sandbox.order_details.open("a") as lines:
        lines.write("10248,1,14.5,0,0.05\n10248,2,14.5,many,0\n")  # breaks a rule; can't be read
    for target in ("duckdb", "postgres"):
        shared_sandbox.succeed("run", "--run-date", DAY, "--target", target)
        folder = shared_sandbox.home / "exports" / DAY
        exports[target] = {path.name: path.read_bytes() for path in folder.iterdir()}
        found[target] = _read_all(shared_sandbox.home, target)
    assert exports["duckdb"] == exports["postgres"]
    return found


def _read_all(home: Path, target: str) -> dict[str, list[str]]:
    before = dict(os.environ)
    try:
        warehouse = open_warehouse(target, Home(home))
        with warehouse.serving():
            rows = {}
            for relation in RELATIONS:
                with warehouse.reading(relation, []) as batches:
                    rows[relation] = sorted(repr(sorted(row.items())) for row in batches.read_all().to_pylist())
            return rows
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.parametrize("relation", RELATIONS)
def test_postgres_has_duckdbs_rows(rows: dict[str, dict[str, list[str]]], relation: str) -> None:
    assert rows["postgres"][relation] == rows["duckdb"][relation]
    assert rows["duckdb"][relation], f"{relation} is empty on both, which proves nothing"


def test_money_is_decimal_on_both(rows: dict[str, dict[str, list[str]]]) -> None:
    for target in rows:
        assert "Decimal('" in rows[target]["sales.fct_orders"][0]
