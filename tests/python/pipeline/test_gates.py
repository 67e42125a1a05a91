"""A step refuses missing, unfinished or damaged input: exit 3 and the command that repairs it."""

import hashlib
import shutil
from pathlib import Path

import pytest

from ingestion.errors import Refused
from ingestion.settings import Home
from ingestion.sources import SOURCES
from pipeline.checks import suites
from pipeline.run.request import Request
from pipeline.run.steps import check
from tests.python.sandbox import BUILT_DAY as DAY
from tests.python.sandbox import Sandbox


def _warehouse_sha(sandbox: Sandbox) -> str | None:
    path = sandbox.home / "warehouse" / "tradewinds.duckdb"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _landed_file(sandbox: Sandbox, table: str) -> Path:
    file = sandbox.manifest("northwind", DAY)["tables"][table]["files"][0]
    return sandbox.home / "landing" / file["path"]


@pytest.mark.parametrize(
    ("stage", "lost", "named"),
    [
        ("arrivals", "*", "every_source, northwind, order_details, event_log, people, community"),
        ("arrivals", "northwind.yml", "northwind"),
        ("marts", "*", "community, marketplace, people, sales, snapshots"),
        ("marts", "people.yml", "people"),
    ],
)
def test_a_check_without_rules_is_refused(
    stage: str, lost: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "expectations"
    shutil.copytree(suites.FOLDER, folder)
    for path in (folder / stage).glob(lost):
        path.unlink()
    monkeypatch.setattr(suites, "FOLDER", folder)
    with pytest.raises(Refused) as raised:
        check(Request(Home(tmp_path / "home")), DAY, stage)
    missing = f"tests/expectations/{stage} has no expectations for {named}"
    assert raised.value.reason.endswith(f"refused: {missing}; restore its suite, or write one")
    assert raised.value.command == f"tradewinds check --run-date {DAY} --stage {stage}"


def test_every_source_and_domain_has_rules() -> None:
    for stage in suites.Stage:
        assert suites.find_unruled(stage, SOURCES) == []


def test_load_refuses_a_day_whose_file_has_not_landed(sandbox: Sandbox) -> None:
    sandbox.succeed("extract", "--run-date", DAY, "--source", "northwind")
    line = sandbox.fail(3, "load", "--run-date", DAY)
    assert "order_details has not landed" in line
    others = " ".join(f"--source {name}" for name in ("order_details", "event_log", "people", "community"))
    assert line.endswith(f"run: tradewinds extract --run-date {DAY} {others}")
    assert _warehouse_sha(sandbox) is None


def test_load_refuses_a_day_with_a_missing_table_and_takes_it_when_it_came(sandbox: Sandbox) -> None:
    only = ["--run-date", DAY, "--source", "northwind"]
    sandbox.succeed("extract", *only, "--table", "orders")
    line = sandbox.fail(3, "load", *only)
    assert "table customers of northwind has not landed" in line
    assert "table orders " not in line
    missing = [name for name in sandbox.manifest("northwind", DAY)["source_tables"] if name != "orders"]
    sandbox.succeed("extract", *only, *(word for name in missing for word in ("--table", name)))
    sandbox.succeed("load", *only)
    assert sandbox.query("select count(*) from raw_northwind.orders") == [(830,)]


def test_load_refuses_after_a_failed_extract_of_a_good_day(built: Sandbox) -> None:
    before = _warehouse_sha(built)
    good = built.order_details.read_text()
    built.order_details.write_text("a,b\n1,2\n")
    built.fail(1, "extract", "--run-date", DAY, "--source", "order_details")
    line = built.fail(3, "load", "--run-date", DAY)
    assert "the last extract of order_details failed" in line
    assert _warehouse_sha(built) == before
    built.order_details.write_text(good)
    built.succeed("extract", "--run-date", DAY, "--source", "order_details")
    built.succeed("load", "--run-date", DAY)


def test_load_and_verify_refuse_a_damaged_file(built: Sandbox) -> None:
    assert "5 landed days are whole" in built.succeed("verify")
    before = _warehouse_sha(built)
    file = _landed_file(built, "orders")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    line = built.fail(3, "load", "--run-date", DAY)
    assert file.name in line
    assert "SHA-256" in line
    assert _warehouse_sha(built) == before
    done = built.run("verify")
    assert done.returncode == 1
    assert file.name in done.stdout
    file.unlink()
    assert "is missing" in built.fail(3, "load", "--run-date", DAY)


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
