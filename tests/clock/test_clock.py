"""Data knows no clock: two days run a year later, by every clock a process can read, are the same to the last byte.

Apart from the other tests because `libfaketime` has to be compiled: `make test-clock` installs it.
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import libfaketime
import pytest

from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY, Sandbox

DAY, NEXT_DAY = BUILT_DAY, "2021-01-02"
# A new version, a closed one, and a new key: what history would date by the clock if it could.
CHANGES = """
    update customers set city = 'Elsewhere' where customer_id = (select min(customer_id) from customers);
    insert into suppliers (supplier_id, company_name) values (999, 'Newcomer');
    delete from customers where customer_id not in (select customer_id from orders where customer_id is not null);
"""


@pytest.fixture(scope="module")
def sandboxes(built_homes: BuiltHomes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Sandbox, Sandbox]:
    """Run two days of the same sources into two homes, the second with its clocks a year ahead."""
    folder = tmp_path_factory.mktemp("clock")
    now = built_homes.copy(folder)
    now.settings["SOURCES__EVENT_LOG__PATH"] = str(now.home / "sources" / "event_log.csv")
    _, shifting = libfaketime.get_reload_information()
    shifted = now.settings | shifting | {"FAKETIME": "+365d"}
    later = replace(now, home=folder / "later", settings=shifted, by_script=True)
    _run(DAY, later)
    now.northwind.execute(CHANGES)
    _run(NEXT_DAY, now, later)
    return now, later


def _run(day: str, *sandboxes: Sandbox) -> None:
    for process in [sandbox.start("run", "--run-date", day) for sandbox in sandboxes]:
        output, errors = process.communicate(timeout=900)
        assert process.returncode == 0, errors + output


def _landed(sandbox: Sandbox) -> dict[str, str]:
    """Return the content hash of every landed table of every day."""
    folder = sandbox.home / "landing" / "_manifests"
    manifests = {path.relative_to(folder): json.loads(path.read_text()) for path in folder.glob("*/*.json")}
    return {
        f"{path} {name}": table["content_hash"]
        for path, manifest in manifests.items()
        for name, table in manifest["tables"].items()
    }


def _exported(sandbox: Sandbox) -> dict[Path, bytes]:
    folder = sandbox.home / "exports"
    return {path.relative_to(folder): path.read_bytes() for path in folder.glob("*/*") if path.is_file()}


def _started(sandbox: Sandbox, day: str, step: str) -> datetime:
    return datetime.fromisoformat(json.loads((sandbox.home / "runs" / day / f"{step}.json").read_text())["started"])


def test_the_clock_was_shifted(sandboxes: tuple[Sandbox, Sandbox]) -> None:
    now, later = sandboxes
    for day in (DAY, NEXT_DAY):
        for step in ("extract", "load", "build", "publish"):
            shift = _started(later, day, step) - _started(now, day, step)
            assert timedelta(days=364) < shift < timedelta(days=366), (day, step)


def test_landing_has_the_same_hashes(sandboxes: tuple[Sandbox, Sandbox]) -> None:
    now, later = sandboxes
    assert _landed(now)
    assert _landed(now) == _landed(later)


def test_exports_have_the_same_bytes(sandboxes: tuple[Sandbox, Sandbox]) -> None:
    now, later = sandboxes
    assert _exported(now)
    assert _exported(now) == _exported(later)


def test_the_published_version_is_the_same(sandboxes: tuple[Sandbox, Sandbox]) -> None:
    now, later = sandboxes
    query = "select run_date::varchar, content_hash from published_version"
    assert now.published(query) == later.published(query)
    ((run_date, _),) = now.published(query)
    assert run_date == NEXT_DAY


def test_history_is_the_same(sandboxes: tuple[Sandbox, Sandbox]) -> None:
    now, later = sandboxes
    for name in ("customers", "employees", "products", "suppliers"):
        query = f"select to_json(version) from snapshots.{name}_snapshot as version order by dbt_scd_id"
        assert now.query(query) == later.query(query), name
    ((closed,),) = now.query("select count(*) from snapshots.customers_snapshot where dbt_valid_to is not null")
    assert closed > 1
