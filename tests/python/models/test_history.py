"""History equals what was landed, in whatever order the days are built."""

import random
from pathlib import Path

import duckdb
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from tests.python.history import (
    CURSORS,
    DAYS,
    HISTORY,
    PERMUTATIONS,
    SOURCES,
    States,
    build_day,
    build_in_order,
    content_hash,
    extract_day,
    make_states,
    requesting,
)
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Sandbox, make_sandbox, make_warehouse


@pytest.fixture(scope="module")
def states(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> States:
    """The sources as they are on six days."""
    folder = tmp_path_factory.mktemp("states")
    return make_states(server, make_sandbox(server, folder), folder)


@pytest.fixture(scope="module")
def landed(states: States, server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """The days as they land when only what has changed is read: late, twice, after a kill."""
    sandbox = make_sandbox(server, tmp_path_factory.mktemp("landed"))
    sandbox.settings |= CURSORS
    for place in (1, 3, 0, 2, 4, 2, 5):
        extract_day(sandbox, states, DAYS[place])
    assert extract_day(sandbox, states, DAYS[4], kill_after=0.3) != 0
    extract_day(sandbox, states, DAYS[4])
    bookmarks = [sandbox.manifest("northwind", day)["tables"]["orders"]["bookmark"] for day in DAYS]
    assert [bookmark["value"] for bookmark in bookmarks] == ["11077", *["11078"] * 3, *["11079"] * 2]
    assert len({bookmark["table"] for bookmark in bookmarks}) == 1
    return sandbox


@pytest.fixture(scope="module")
def in_order(states: States, server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A home where the days were read whole, and built in order; `settings['hash']` is the content of all marts."""
    sandbox = make_sandbox(server, tmp_path_factory.mktemp("in_order"))
    for day in DAYS:
        extract_day(sandbox, states, day)
    with requesting(sandbox, sandbox.home, None, SOURCES) as request:
        sandbox.settings["hash"] = build_in_order(request, DAYS, DAYS)
    return sandbox


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
    with duckdb.connect(str(in_order.home / "warehouse" / "tradewinds.duckdb")) as warehouse:
        warehouse.execute(
            "update snapshots.customers_snapshot set company_name = 'Tampered' "
            f"where dbt_valid_from = timestamp '{DAYS[4]}' and customer_id <> 'ZZZZZ'"
        )
    # Of days built in order history is raw: no other day differs.
    done = in_order.run("verify", "--history")
    assert done.returncode == 1
    assert f"history differs from raw on 2 of {len(DAYS)} days, first on {DAYS[4]}" in done.stderr
    with requesting(in_order, in_order.home, None, SOURCES) as request:
        assert content_hash(request) != in_order.settings["hash"]
        for day in DAYS[4:]:
            build_day(request, day, *HISTORY)
        assert content_hash(request) == in_order.settings["hash"]


@pytest.mark.parametrize("target", ["duckdb", "postgres"])
@pytest.mark.parametrize("seed", range(PERMUTATIONS))
def test_any_order_of_days_ends_in_the_same_content(
    landed: Sandbox, in_order: Sandbox, server: EmbeddedPostgres, tmp_path: Path, seed: int, target: str
) -> None:
    """Days come late, twice, or are never built; the last one then stands on the same history and the same marts."""
    chance = random.Random(seed)
    order = [*chance.sample(DAYS, 6), *chance.choices(DAYS, k=2)]
    built = chance.sample(DAYS, 3)
    warehouse = make_warehouse(server) if target == "postgres" else None
    with requesting(landed, tmp_path, warehouse, SOURCES) as request:
        assert build_in_order(request, order, built) == in_order.settings["hash"]


def test_a_source_that_shrinks_stops_the_day_before_history_ends_its_keys(built: Sandbox) -> None:
    built.northwind.execute("alter table suppliers disable trigger all")
    built.northwind.execute("delete from suppliers where supplier_id > 14")
    words = ["extract", "--run-date", NEXT_DAY, "--source", "northwind"]
    line = built.fail(1, *words)
    assert f"northwind has shrunk since {BUILT_DAY}" in line
    assert "suppliers: 29 → 14 rows" in line
    assert not (built.home / "landing" / "_manifests" / "northwind" / f"{NEXT_DAY}.json").exists()
    assert not list((built.home / "landing").glob(f"postgres/*/run_date={NEXT_DAY}/*"))
    built.succeed(*words, "--accept-shrink")
