"""The same landing gives the same rows on every engine."""

from pathlib import Path

import psycopg
import pytest
import yaml

from ingestion.files import locked
from ingestion.settings import PROJECT
from pipeline.dbt.project import published_marts
from tests.python.built import BuiltHomes
from tests.python.marts import read_marts
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Sandbox

ENGINES = ("duckdb", "postgres")
# What `ops` says of runs differs from run to run, and so from engine to engine.
RELATIONS = [mart.relation for mart in published_marts() if mart.place[0] != "ops"]


@pytest.fixture(scope="module")
def sandbox(built_homes: BuiltHomes, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A home where a day with rejects was run on both engines."""
    return built_homes.copy_with_rejects(tmp_path_factory.mktemp("engines"))


@pytest.fixture(scope="module")
def rows(sandbox: Sandbox) -> dict[str, dict[str, list[str]]]:
    """Every mart's and snapshot's rows as sorted text, by engine."""
    return {target: _read_all(sandbox, target) for target in ENGINES}


def _read_all(sandbox: Sandbox, target: str) -> dict[str, list[str]]:
    found = read_marts(sandbox, target, RELATIONS)
    return {relation: sorted(repr(sorted(row.items())) for row in rows) for relation, rows in found.items()}


@pytest.mark.parametrize("relation", RELATIONS)
def test_postgres_has_duckdbs_rows(rows: dict[str, dict[str, list[str]]], relation: str) -> None:
    assert rows["postgres"][relation] == rows["duckdb"][relation]
    assert rows["duckdb"][relation], f"{relation} is empty on both, which proves nothing"


def test_exports_have_the_same_bytes(sandbox: Sandbox) -> None:
    duckdb, postgres = (
        {path.name: path.read_bytes() for path in (sandbox.home / folder / BUILT_DAY).iterdir()}
        for folder in ("exports_duckdb", "exports")
    )
    assert duckdb == postgres


@pytest.mark.parametrize("target", ENGINES)
def test_every_unit_test_runs_on_both(sandbox: Sandbox, target: str) -> None:
    files = [yaml.safe_load(path.read_text()) for path in (PROJECT / "models").rglob("*.yml")]
    tests = [test for file in files for test in file.get("unit_tests", [])]
    assert len(tests) > 10
    asked = Sandbox(sandbox.home, sandbox.settings, with_unit_tests=True)
    words = ["test", "--select", "test_type:unit", "--target", target, "--vars", f"{{run_date: {BUILT_DAY}}}"]
    done = asked.dbt(*words)
    assert done.returncode == 0, done.stdout
    assert {test["name"]: done.stdout.count(f"PASS {test['model']}::{test['name']} ") for test in tests} == {
        test["name"]: 1 for test in tests
    }


def test_a_typed_build_without_a_date_is_of_the_latest_loaded_day_on_postgres(
    built_homes: BuiltHomes, tmp_path: Path
) -> None:
    built = built_homes.copy(tmp_path, "postgres", with_next_day=True)
    built.succeed("load", "--run-date", NEXT_DAY)
    done = built.dbt("build", "--select", "+fct_orders", "customers_snapshot", "--exclude-resource-type", "test")
    assert done.returncode == 0, done.stdout
    shown = "select distinct _run_date::text from staging.stg_northwind__orders"
    assert built.warehouse.query(shown) == [(NEXT_DAY,)]
    assert built.warehouse.query("select run_date::text, state from raw_ops.build_mark") == [(NEXT_DAY, "partial")]
    # Each load is one to dlt, too.
    loads = "select status, count(distinct load_id) > 1 from raw_northwind__versions._dlt_loads group by status"
    assert built.warehouse.query(loads) == [(0, True)]
    assert (built.home / "dlt" / "postgres" / "raw_northwind__versions" / "state.json").is_file()


def test_money_is_decimal_on_both(rows: dict[str, dict[str, list[str]]]) -> None:
    for target in rows:
        assert "Decimal('" in rows[target]["sales.fct_orders"][0]


def test_two_builds_at_once_are_one(sandbox: Sandbox) -> None:
    """A build beside another one of its home, or on Postgres of any, changes nothing."""
    refusal = "the warehouse is being built by another process; wait for it to end"
    marks = sandbox.warehouse.query("select * from raw_ops.build_mark")
    words = ("build", "--run-date", BUILT_DAY, "--target", "postgres")
    with psycopg.connect(sandbox.warehouse.url) as building:
        building.execute("select pg_advisory_lock(hashtext('tradewinds build'))")
        assert refusal in sandbox.fail(1, *words)
    for target in ENGINES:
        with locked(sandbox.home / "work" / "locks" / f"build.{target}.lock"):
            assert refusal in sandbox.fail(1, *words[:-1], target)
    assert sandbox.warehouse.query("select * from raw_ops.build_mark") == marks
