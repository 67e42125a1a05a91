"""Data knows no clock: two days run at another time and place, by every clock a process can read, are the same bytes.

Apart from the other tests because `libfaketime` has to be compiled: `make test-clock` installs it.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import libfaketime
import pytest

from tests.faults.trials import IS_WHOLE
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY, Sandbox


def _until(moment: str) -> timedelta:
    return datetime.fromisoformat(f"{moment}+00:00") - datetime.now(UTC)


# Two days, where and how far away in time the second home is; in the whole size also around leap days, ends of years,
# and days that are 23 or 25 hours long there.
CASES = [((BUILT_DAY, "2021-01-02"), "Pacific/Kiritimati", timedelta(days=365))]
if IS_WHOLE:
    CASES += [
        (("2024-02-28", "2024-02-29"), "America/St_Johns", timedelta(days=-40)),
        (("2020-12-31", "2021-01-01"), "Pacific/Pago_Pago", timedelta(hours=9)),
        (("2021-03-27", "2021-03-28"), "Europe/Brussels", _until("2027-03-28 00:59:50")),
        (("2021-10-30", "2021-10-31"), "Europe/Brussels", _until("2027-10-31 00:59:50")),
        (("2024-02-29", "2024-03-01"), "Asia/Kathmandu", _until("2028-02-28 23:59:50")),
        (("2020-12-31", "2021-01-01"), "UTC", _until("2027-12-31 23:59:50")),
    ]
# A new version, a closed one, and a new key: what history would date by the clock if it could.
CHANGES = """
    update customers set city = 'Elsewhere' where customer_id = (select min(customer_id) from customers);
    insert into suppliers (supplier_id, company_name) values (999, 'Newcomer');
    delete from customers where customer_id not in (select customer_id from orders where customer_id is not null);
"""


@dataclass
class Twice:
    """Two days of the same sources in two homes, the second elsewhere in time and place."""

    days: tuple[str, str]
    shift: timedelta
    now: Sandbox
    later: Sandbox


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0][1]} in {case[1]}")
def twice(request: pytest.FixtureRequest, built_homes: BuiltHomes, tmp_path_factory: pytest.TempPathFactory) -> Twice:
    (days, zone, shift), folder = request.param, tmp_path_factory.mktemp("clock")
    now = built_homes.copy(folder)
    now.settings["SOURCES__EVENT_LOG__PATH"] = str(now.home / "sources" / "event_log.csv")
    if days[0] != BUILT_DAY:
        now.home = folder / "now"
    _, shifting = libfaketime.get_reload_information()
    shifted = now.settings | shifting | {"FAKETIME": f"{shift.total_seconds():+.0f}", "TZ": zone}
    later = replace(now, home=folder / "later", settings=shifted, by_script=True)
    _run(days[0], *([] if days[0] == BUILT_DAY else [now]), later)
    now.northwind.execute(CHANGES)
    _run(days[1], now, later)
    return Twice(days, shift, now, later)


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


def test_the_clock_was_shifted(twice: Twice) -> None:
    now, later = twice.now, twice.later
    for day in twice.days:
        for step in ("extract", "load", "build", "publish"):
            shift = _started(later, day, step) - _started(now, day, step)
            assert abs(shift - twice.shift) < timedelta(hours=1), (day, step)


def test_landing_has_the_same_hashes(twice: Twice) -> None:
    now, later = twice.now, twice.later
    assert _landed(now)
    assert _landed(now) == _landed(later)


def test_exports_have_the_same_bytes(twice: Twice) -> None:
    now, later = twice.now, twice.later
    assert _exported(now)
    assert _exported(now) == _exported(later)


def test_the_published_version_is_the_same(twice: Twice) -> None:
    now, later = twice.now, twice.later
    query = "select run_date::varchar, content_hash from published_version"
    assert now.published(query) == later.published(query)
    ((run_date, _),) = now.published(query)
    assert run_date == twice.days[1]


def test_history_is_the_same(twice: Twice) -> None:
    now, later = twice.now, twice.later
    for name in ("customers", "employees", "products", "suppliers"):
        query = f"select to_json(version) from snapshots.{name}_snapshot as version order by dbt_scd_id"
        assert now.query(query) == later.query(query), name
    ((closed,),) = now.query("select count(*) from snapshots.customers_snapshot where dbt_valid_to is not null")
    assert closed > 1
