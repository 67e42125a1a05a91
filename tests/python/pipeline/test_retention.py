"""`prune` removes old days, and what is left says and gives what it did before."""

import json
from pathlib import Path

import duckdb
import pytest

from ingestion.landing import Landing
from ingestion.settings import Home
from pipeline.ledger.space import show_bytes
from pipeline.run.retention import days_to_keep
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Sandbox

PRUNE = ("prune", "--keep-days", "1", "--format", "json")


def _freed(sandbox: Sandbox, *words: str) -> dict[str, dict]:
    told = [json.loads(line) for line in sandbox.succeed(*PRUNE, *words).splitlines()]
    return {entry["kind"]: entry for entry in told}


def _files(sandbox: Sandbox) -> dict[str, int]:
    found = (sandbox.home / "landing").rglob("*")
    return {str(path.relative_to(sandbox.home / "landing")): path.stat().st_size for path in found if path.is_file()}


def _data(files: dict[str, int]) -> set[str]:
    return {name for name in files if name.endswith((".parquet", ".json.gz"))}


def _listed(sandbox: Sandbox) -> set[str]:
    def files_of(manifest: dict) -> list[dict]:
        tables = manifest["tables"].values()
        return [*(file for table in tables for file in table["files"] + table["removed"]), *manifest["rejects"]]

    manifests = [json.loads(path.read_text()) for path in (sandbox.home / "landing" / "_manifests").rglob("*.json")]
    return {file["path"] for one in manifests for file in [*files_of(one), *one["answers"]]}


def test_a_pruned_day_is_gone_and_all_else_is_as_it_was(built_homes: BuiltHomes, tmp_path: Path) -> None:
    nothing = built_homes.copy(tmp_path / "built", with_next_day=True).succeed(*PRUNE[:3])
    assert "0 days, 0 B" in nothing, "the published day, and what has landed since, stay"
    sandbox = built_homes.copy_changed(tmp_path / "changed")
    files, history = _files(sandbox), "select * from snapshots.customers_snapshot order by all"
    versions, published = sandbox.query(history), sandbox.published("select * from sales.fct_orders order by all")
    days = "select distinct run_date::text from raw_ops.landed_tables"

    would = _freed(sandbox, "--dry-run")
    assert {kind: entry["state"] for kind, entry in would.items()} == dict.fromkeys(would, "dry run")
    assert _files(sandbox) == files
    assert len(sandbox.query(days)) == 2

    # Another process is extracting a source of the day.
    with Landing(Home(sandbox.home)).day_lock("people", BUILT_DAY):
        assert f"{BUILT_DAY} stays: another process is extracting people" in sandbox.succeed(*PRUNE[:3])
    assert _data(_files(sandbox)) == _data(files)
    assert len(sandbox.query(days)) == 2

    freed = _freed(sandbox)
    assert {kind: entry | {"state": "dry run"} for kind, entry in freed.items()} == would
    assert [freed[kind]["days"] for kind in ("landing", "raw")] == [[BUILT_DAY]] * 2
    left = _data(_files(sandbox))
    assert left == _listed(sandbox)
    assert freed["landing"]["bytes"] == sum(files[name] for name in _data(files) - left) > 0
    assert sandbox.query(days) == [(NEXT_DAY,)]

    # Later days are as they were, and no step runs again.
    assert f"{NEXT_DAY}  complete" in sandbox.succeed("backfill", "--from", BUILT_DAY, "--to", NEXT_DAY, "--dry-run")
    sandbox.succeed("verify", "--history")
    for step in ("extract", "load", "build", "run"):
        refused = sandbox.run(step, "--run-date", BUILT_DAY)
        assert (refused.returncode, f"days up to {BUILT_DAY} have been pruned" in refused.stderr) == (3, True), step
    assert {entry["bytes"] for entry in _freed(sandbox).values()} == {0}
    again = sandbox.dbt("build", "--vars", f"{{run_date: {NEXT_DAY}}}", "--select", "customers_snapshot")
    assert again.returncode == 0, again.stdout
    assert sandbox.query(history) == versions
    assert sandbox.published("select * from sales.fct_orders order by all") == published

    told = [json.loads(line) for line in sandbox.succeed("status", "--space", "--format", "json").splitlines()]
    landed = sum(entry["bytes"] for entry in told if entry["kind"] == "landing")
    assert landed == sum(size for name, size in _files(sandbox).items() if name in left)
    file = (sandbox.home / "warehouse" / "tradewinds.duckdb").stat().st_size
    inside = sum(entry["bytes"] for entry in told if entry["kind"] in ("raw", "marts", "warehouse"))
    assert 0.5 * file < inside <= file
    assert {"published versions", "exports", "reports", "ledger"} <= {entry["kind"] for entry in told}


def test_history_never_goes_back_past_a_pruned_day(built_homes: BuiltHomes, tmp_path: Path) -> None:
    """A kept day before a pruned one can't be built; nor does a prune follow a rewound history."""
    sandbox = built_homes.copy(tmp_path)
    warehouse = str(sandbox.home / "warehouse" / "tradewinds.duckdb")
    later = "insert into raw_ops.history_days values (date '2021-01-05', 'x')"
    with duckdb.connect(warehouse) as connection:
        connection.execute(later)
    before = sandbox.query("select * from snapshots.customers_snapshot order by all")
    refused = sandbox.dbt("build", "--vars", f"{{run_date: {BUILT_DAY}}}")
    assert f"history can't go back to run date {BUILT_DAY}, because 2021-01-05 has been pruned" in refused.stdout
    assert sandbox.query("select * from snapshots.customers_snapshot order by all") == before
    with duckdb.connect(warehouse) as connection:
        connection.execute("delete from raw_ops.history_days")
    refused = sandbox.run(*PRUNE)
    assert refused.returncode == 3
    assert f"history doesn't reach {BUILT_DAY}" in refused.stderr
    assert f"tradewinds run --run-date {BUILT_DAY}" in refused.stderr


def test_which_days_stay() -> None:
    january = [f"2021-01-{day:02}" for day in range(1, 32)]
    february = [f"2021-02-{day:02}" for day in range(1, 4)]
    days = {"often": january + february, "seldom": january[:3]}
    assert days_to_keep(days, 2, monthly=False) == {*february[-2:], "2021-01-03"}
    assert days_to_keep(days, 2, monthly=True) == {*february[-2:], "2021-01-03", "2021-01-31"}
    assert days_to_keep(days, 99, monthly=False) == {*january, *february}
    assert days_to_keep({}, 1, monthly=True) == set()


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 B"), (999, "999 B"), (1_234_567, "1.2 MB"), (2 * 10**15, "2,000.0 TB")]
)
def test_a_number_of_bytes_is_shown_short(size: int, shown: str) -> None:
    assert show_bytes(size) == shown
