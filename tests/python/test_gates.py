"""No step stands on what is missing, unfinished or damaged: exit 3, naming it and the command that mends it."""

import hashlib
from pathlib import Path

import pytest

from tests.python.conftest import Sandbox

DAY, NEXT_DAY = "2021-01-01", "2021-01-02"


def _warehouse_sha(sandbox: Sandbox) -> str | None:
    path = sandbox.home / "warehouse" / "tradewinds.duckdb"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _landed_file(sandbox: Sandbox, table: str) -> Path:
    file = sandbox.manifest("northwind", DAY)["tables"][table]["files"][0]
    return sandbox.home / "landing" / file["path"]


def test_load_refuses_a_day_whose_file_has_not_landed(sandbox: Sandbox) -> None:
    sandbox.succeed("extract", "--run-date", DAY, "--source", "northwind", "--source", "event_log")
    line = sandbox.fail(3, "load", "--run-date", DAY)
    assert "order_details has not landed" in line
    assert line.endswith(
        f"run: tradewinds extract --run-date {DAY} --source order_details --source people --source community"
    )
    assert _warehouse_sha(sandbox) is None


def test_load_refuses_a_day_with_a_missing_table_and_takes_it_when_it_came(sandbox: Sandbox) -> None:
    others = [word for name in ("order_details", "event_log", "people", "community") for word in ("--source", name)]
    sandbox.succeed("extract", "--run-date", DAY, *others)
    sandbox.succeed("extract", "--run-date", DAY, "--source", "northwind", "--table", "orders")
    line = sandbox.fail(3, "load", "--run-date", DAY)
    assert "table customers of northwind has not landed" in line
    assert "table orders " not in line
    missing = [name for name in _tables(sandbox) if name != "orders"]
    words = [word for name in missing for word in ("--table", name)]
    sandbox.succeed("extract", "--run-date", DAY, "--source", "northwind", *words)
    sandbox.succeed("load", "--run-date", DAY)
    assert sandbox.query("select count(*) from raw_northwind.orders") == [(830,)]


def test_load_refuses_after_a_failed_extract_of_a_good_day(sandbox: Sandbox) -> None:
    sandbox.succeed("extract", "--run-date", DAY)
    sandbox.succeed("load", "--run-date", DAY)
    before = _warehouse_sha(sandbox)
    good = sandbox.order_details.read_text()
    sandbox.order_details.write_text("a,b\n1,2\n")
    sandbox.fail(1, "extract", "--run-date", DAY, "--source", "order_details")
    line = sandbox.fail(3, "load", "--run-date", DAY)
    assert "the last extract of order_details failed" in line
    assert _warehouse_sha(sandbox) == before
    sandbox.order_details.write_text(good)
    sandbox.succeed("extract", "--run-date", DAY, "--source", "order_details")
    sandbox.succeed("load", "--run-date", DAY)


def test_load_and_verify_refuse_a_damaged_file(sandbox: Sandbox) -> None:
    sandbox.succeed("extract", "--run-date", DAY)
    assert "5 landed days are whole" in sandbox.succeed("verify")
    file = _landed_file(sandbox, "orders")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    line = sandbox.fail(3, "load", "--run-date", DAY)
    assert file.name in line
    assert "SHA-256" in line
    assert _warehouse_sha(sandbox) is None
    done = sandbox.run("verify")
    assert done.returncode == 1
    assert file.name in done.stdout
    file.unlink()
    assert "is missing" in sandbox.fail(3, "load", "--run-date", DAY)


@pytest.mark.parametrize(
    ("step", "command"),
    [
        ("load", "tradewinds extract"),
        ("build", "tradewinds load"),
        ("check", "tradewinds build"),
        ("publish", "tradewinds build"),
    ],
)
def test_a_step_refuses_on_an_empty_home(bare_sandbox: Sandbox, step: str, command: str) -> None:
    line = bare_sandbox.fail(3, step, "--run-date", DAY)
    named = "check marts" if step == "check" else step
    assert line.startswith(f"tradewinds: {named} {DAY} refused: ")
    assert f"run: {command} --run-date {DAY}" in line
    assert not (bare_sandbox.home / "published").exists()
    assert not (bare_sandbox.home / "exports").exists()


def test_publish_refuses_marts_of_another_day_and_marts_older_than_their_load(sandbox: Sandbox) -> None:
    for day in (DAY, NEXT_DAY):
        sandbox.succeed("extract", "--run-date", day)
        sandbox.succeed("load", "--run-date", day)
    sandbox.succeed("build", "--run-date", NEXT_DAY)
    assert f"the marts are those of {NEXT_DAY}" in sandbox.fail(3, "publish", "--run-date", DAY)
    sandbox.northwind.execute("update orders set freight = freight + 1 where order_id = 10250")
    sandbox.succeed("extract", "--run-date", NEXT_DAY, "--source", "northwind")
    sandbox.succeed("load", "--run-date", NEXT_DAY)
    line = sandbox.fail(3, "publish", "--run-date", NEXT_DAY)
    assert "loaded anew after the build" in line
    sandbox.succeed("build", "--run-date", NEXT_DAY)
    line = sandbox.fail(3, "publish", "--run-date", NEXT_DAY)
    assert "the marts have not been checked since they were built" in line
    assert line.endswith(f"run: tradewinds check --run-date {NEXT_DAY} --stage marts")
    sandbox.succeed("check", "--run-date", NEXT_DAY)
    sandbox.succeed("publish", "--run-date", NEXT_DAY)
    # The marts' check comes with the arrivals' where that was left out.
    assert "check_arrivals" in sandbox.succeed("status")
    sandbox.succeed("status", "--run-date", NEXT_DAY)


def test_a_failed_dbt_test_stops_the_day_before_readers_see_it(sandbox: Sandbox) -> None:
    sandbox.succeed("run", "--run-date", DAY)
    published = (sandbox.home / "published" / "tradewinds.duckdb").read_bytes()
    doubled = sandbox.order_details.read_text().splitlines()
    sandbox.order_details.write_text("\n".join([*doubled, doubled[-1]]) + "\n")
    line = sandbox.fail(1, "run", "--run-date", NEXT_DAY)
    assert line.startswith(f"tradewinds: build {NEXT_DAY} failed: test ")
    assert line.endswith(f"run: tradewinds build --run-date {NEXT_DAY}")
    assert "the last build failed" in sandbox.fail(3, "publish", "--run-date", NEXT_DAY)
    assert (sandbox.home / "published" / "tradewinds.duckdb").read_bytes() == published
    assert not (sandbox.home / "exports" / NEXT_DAY).exists()
    status = sandbox.run("status", "--run-date", NEXT_DAY)
    assert status.returncode == 1
    assert "refused" in status.stdout


def _tables(sandbox: Sandbox) -> list[str]:
    return sandbox.manifest("northwind", DAY)["source_tables"]
