"""History is what was landed: whatever order the days are built in, it comes out the same."""

import os
import random
from pathlib import Path

import duckdb
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from tests.python.conftest import Sandbox, make_sandbox
from tests.python.history import DAYS, build_in_order, land_days, requesting

_PERMUTATIONS = int(os.environ.get("TRADEWINDS_PERMUTATIONS", "3"))


@pytest.fixture(scope="module")
def landed(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """Six landed days of a source that changes."""
    sandbox = make_sandbox(server, tmp_path_factory.mktemp("landed"))
    land_days(sandbox)
    return sandbox


@pytest.fixture(scope="module")
def in_order(landed: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A home where the days were built in order, on DuckDB; `settings['hash']` is the content of all that is read."""
    home = tmp_path_factory.mktemp("in_order")
    with requesting(landed, home, "duckdb") as request:
        content = build_in_order(request, DAYS, DAYS)
    landing = str(landed.home / "landing")
    return Sandbox(home, landed.settings | {"TRADEWINDS_LANDING_URL": landing, "hash": content})


def test_history_has_every_version_and_no_other(in_order: Sandbox) -> None:
    """A → B → A → B is four versions; a key that goes and returns has a gap."""
    (first,) = in_order.query("select min(customer_id) from snapshots.customers_snapshot")
    versions = "dbt_valid_from::date::varchar, dbt_valid_to::date::varchar"
    names = in_order.query(
        f"select company_name, {versions} from snapshots.customers_snapshot where customer_id = '{first[0]}' order by 2"
    )
    assert [name for name, *_ in names[1:]] == ["B", "A", "B"]
    assert [days for _, *days in names] == [
        [DAYS[0], DAYS[1]],
        [DAYS[1], DAYS[2]],
        [DAYS[2], DAYS[4]],
        [DAYS[4], None],
    ]
    products = in_order.query(
        f"select product_id, {versions} from snapshots.products_snapshot where product_id in (1, 77) order by all"
    )
    assert products == [(1, DAYS[0], DAYS[2]), (1, DAYS[4], None), (77, DAYS[0], DAYS[2]), (77, DAYS[5], None)]
    added = in_order.query(f"select {versions} from snapshots.customers_snapshot where customer_id = 'ZZZZZ'")
    assert added == [(DAYS[4], DAYS[5])]
    deleted = in_order.query("select is_deleted, company_name from sales.dim_customers where customer_id = 'ZZZZZ'")
    assert deleted == [(True, "New")]


def test_a_tampered_version_is_found_and_mended(in_order: Sandbox) -> None:
    assert f"history is raw on {len(DAYS)} days" in in_order.succeed("verify", "--history")
    with duckdb.connect(str(in_order.home / "warehouse" / "tradewinds.duckdb")) as warehouse:
        warehouse.execute(
            "update snapshots.customers_snapshot set company_name = 'Tampered' "
            f"where dbt_valid_from = timestamp '{DAYS[4]}' and customer_id <> 'ZZZZZ'"
        )
    done = in_order.run("verify", "--history")
    assert done.returncode == 1
    assert f"history differs from raw on 2 of {len(DAYS)} days, first on {DAYS[4]}" in done.stderr
    in_order.succeed("build", "--run-date", DAYS[4])
    in_order.succeed("build", "--run-date", DAYS[5])
    in_order.succeed("verify", "--history")


@pytest.mark.parametrize("target", ["duckdb", "postgres"])
@pytest.mark.parametrize("seed", range(_PERMUTATIONS))
def test_any_order_of_days_ends_in_the_same_content(
    landed: Sandbox, in_order: Sandbox, tmp_path: Path, target: str, seed: int
) -> None:
    """Days come late, twice, or are never built; the last one then stands on the same history and the same marts."""
    chance = random.Random(seed)
    order = [*chance.sample(DAYS, 6), *chance.choices(DAYS, k=2)]
    built = chance.sample(DAYS, 3)
    with requesting(landed, tmp_path, target) as request:
        assert build_in_order(request, order, built) == in_order.settings["hash"]


def test_a_source_that_shrinks_stops_the_day_before_history_ends_its_keys(sandbox: Sandbox) -> None:
    sandbox.succeed("extract", "--run-date", DAYS[0], "--source", "northwind")
    sandbox.northwind.execute("alter table suppliers disable trigger all")
    sandbox.northwind.execute("delete from suppliers where supplier_id > 14")
    words = ["extract", "--run-date", DAYS[1], "--source", "northwind"]
    line = sandbox.fail(1, *words)
    assert f"northwind has shrunk since {DAYS[0]}" in line
    assert "suppliers: 29 → 14 rows" in line
    assert not (sandbox.home / "landing" / "_manifests" / "northwind" / f"{DAYS[1]}.json").exists()
    assert not list((sandbox.home / "landing").glob(f"postgres/*/run_date={DAYS[1]}/*"))
    sandbox.succeed(*words, "--accept-shrink")


def test_a_run_stands_on_every_landed_day_loaded_or_not(sandbox: Sandbox) -> None:
    """The days before have landed only; the run's history has them all the same."""
    sandbox.succeed("extract", "--run-date", DAYS[0])
    sandbox.northwind.execute("update customers set company_name = 'B'")
    sandbox.succeed("run", "--run-date", DAYS[1])
    counted = "select dbt_valid_from::date::varchar, count(*) from snapshots.customers_snapshot group by 1 order by 1"
    assert sandbox.published(counted) == [(DAYS[0], 91), (DAYS[1], 91)]
    sandbox.succeed("verify", "--history")
