"""Landed files and manifests that are cut, emptied, lost or changed by a bit: no load takes them, and each is named."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from ingestion.errors import TradewindsError
from ingestion.landing import Landing
from ingestion.load import load_sources
from ingestion.settings import Home
from ingestion.sources import SOURCES
from ingestion.warehouse import open_warehouse
from tests.faults.small import DAYS, Small, counted
from tests.faults.trials import Fault
from tests.faults.worker import Worker

NAME = "order_details"
ALL_DAYS = {0: 0, 1: 1, 2: 2}


@pytest.fixture(scope="module")
def landed(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Three landed and loaded days; the later ones list files of the earlier ones again."""
    small = Small(tmp_path_factory.mktemp("damage"), worker)
    for day in ALL_DAYS:
        assert small.do(day) == 0
    assert any(small.manifest(day)["tables"][NAME]["removed"] for day in DAYS)
    return small


@pytest.fixture
def small(landed: Small, monkeypatch: pytest.MonkeyPatch) -> Iterator[Small]:
    """The days, in this process; a test leaves them as they were."""
    for name, value in landed.environment.items():
        monkeypatch.setenv(name, value)
    yield landed
    assert landed.state() == landed.expected(ALL_DAYS, ALL_DAYS)


def _load(small: Small, day: str) -> str:
    """Load a day, and return what it is refused with; empty if it was loaded."""
    home = Home(small.home)
    try:
        load_sources([SOURCES[NAME]], day, home, open_warehouse("duckdb", home))
    except TradewindsError as error:
        return f"{error}; {error.command}"
    return ""


def _listing(small: Small) -> dict[str, list[str]]:
    """Return each landed file with the days that list it."""
    days: dict[str, list[str]] = {}
    for day in DAYS:
        found = small.manifest(day)
        table = found["tables"][NAME]
        for file in [*table["files"], *table["removed"], *found["rejects"]]:
            days.setdefault(file["path"], []).append(day)
    return days


def _flipped(data: bytes, chance: Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]


DAMAGES: dict[str, tuple[Callable[[bytes, Random], bytes | None], int]] = {
    "one bit of a landed file flipped": (_flipped, 300),
    "a landed file truncated": (lambda data, chance: data[: chance.randrange(1, len(data))], 30),
    "a landed file emptied": (lambda data, chance: b"", 20),
    "a landed file deleted": (lambda data, chance: None, 20),
}


def _damage(path: Path, data: bytes | None) -> None:
    path.unlink(missing_ok=True)  # never written in place: days share files
    if data is not None:
        path.write_bytes(data)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_never_loaded(fault: Callable[[str], Fault], small: Small, name: str) -> None:
    """Every day that lists the file is refused, names it, and changes nothing; the others can be loaded."""
    (damage, whole), counting, listing = DAMAGES[name], fault(name), _listing(small)
    warehouse = small.home / "warehouse" / "tradewinds.duckdb"
    landing = Landing(Home(small.home))
    for chance in counting.trials(whole, 4):
        file = sorted(listing)[counting.trial % len(listing)]
        path, before = small.landing / file, warehouse.stat().st_mtime_ns
        data = path.read_bytes()
        _damage(path, damage(data, chance))
        for day in listing[file]:
            refusal = _load(small, day)
            assert file in refusal, counting
            assert refusal.endswith(f"tradewinds extract --run-date {day} --source {NAME}"), counting
            assert any(file in found for found in landing.faults(NAME, day, read_files=True)), counting
        assert warehouse.stat().st_mtime_ns == before, counting
        for day in {*DAYS} - {*listing[file]}:
            assert landing.faults(NAME, day, read_files=True) == [], counting
        _damage(path, data)
        counting.converged([_load(small, day) for day in listing[file]], [""] * len(listing[file]))
    counting.seen(small.state(), small.expected(ALL_DAYS, ALL_DAYS))


MANIFESTS: dict[str, tuple[Callable[[bytes, Random], bytes | None], int]] = {
    "a manifest truncated": (lambda data, chance: data[: chance.randrange(len(data) - 2)], 30),
    "a manifest deleted": (lambda data, chance: None, 3),
    "one bit of a manifest flipped": (_flipped, 100),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_damaged_manifest_is_never_believed(fault: Callable[[str], Fault], small: Small, name: str) -> None:
    """Its day is refused, or has exactly its rows: a bit may say the same, or be in what a load doesn't read."""
    (damage, whole), counting = MANIFESTS[name], fault(name)
    expected = {DAYS[day]: counted(small.files[day]) for day in ALL_DAYS}
    for chance in counting.trials(whole, min(whole, 4)):
        day = DAYS[counting.trial % len(DAYS)]
        path = small.landing / "_manifests" / NAME / f"{day}.json"
        data = path.read_bytes()
        _damage(path, damage(data, chance))
        refusal = _load(small, day)
        assert refusal or damage is _flipped, counting
        counting.seen(small.raw(), expected)
        _damage(path, data)
        counting.converged((_load(small, day), small.state()), ("", small.expected(ALL_DAYS, ALL_DAYS)))
