"""The same landing gives the same rows on every engine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ingestion.settings import PROJECT, Home
from ingestion.warehouse import open_warehouse
from pipeline.project import published_relations
from tests.python.conftest import Sandbox

DAY = "2021-01-01"
ENGINES = ("duckdb", "postgres")
# What `ops` says of runs differs from run to run, and so from engine to engine.
RELATIONS = [relation for relation in published_relations() if not relation.startswith("ops.")]


@pytest.fixture(scope="module")
def rows(shared_sandbox: Sandbox) -> Iterator[dict[str, dict[str, list[str]]]]:
    """Every mart's and snapshot's rows as sorted text, by engine."""
    found, exports = {}, {}
    shared_sandbox.with_unit_tests = True
    with shared_sandbox.order_details.open("a") as lines:
        lines.write("10248,1,14.5,0,0.05\n10248,2,14.5,many,0\n")  # breaks a rule; can't be read
    for target in ENGINES:
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


def test_every_unit_test_ran_on_both(rows: dict[str, dict[str, list[str]]], shared_sandbox: Sandbox) -> None:
    said = (shared_sandbox.home / "runs" / DAY / "dbt.log").read_text()
    files = [yaml.safe_load(path.read_text()) for path in (PROJECT / "models").rglob("*.yml")]
    tests = [test for file in files for test in file.get("unit_tests", [])]
    assert len(tests) > 10
    assert {test["name"]: said.count(f"PASS {test['model']}::{test['name']} ") for test in tests} == {
        test["name"]: len(ENGINES) for test in tests
    }


def test_money_is_decimal_on_both(rows: dict[str, dict[str, list[str]]]) -> None:
    for target in rows:
        assert "Decimal('" in rows[target]["sales.fct_orders"][0]
