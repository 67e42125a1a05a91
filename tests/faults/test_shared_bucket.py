"""Two homes whose landing is one bucket: a paused process wakes up after its lease has lapsed, others land at once."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec
import pytest

from ingestion.landing import Landing, Manifest
from tests.faults.small import DAYS, Small
from tests.faults.trials import Fault
from tests.faults.worker import Worker
from tests.python.s3_servers import S3Server

# The product's leases last two minutes. Servers tell times in whole seconds.
LEASE = {"constants": {"ingestion.stores.lease.LASTS_SECONDS": 1}}
LAPSED_SECONDS = 2.1


class Shared:
    """Two homes on one new place in a bucket."""

    def __init__(self, server: S3Server, folder: Path, *workers: Worker):
        self._bucket = fsspec.filesystem("s3", **server.options, use_listings_cache=False, skip_instance_cache=True)
        self._place = server.new_place()
        settings = server.settings | {"TRADEWINDS_LANDING_URL": self._place}
        shutil.rmtree(folder, ignore_errors=True)
        self.homes = [Small(folder / name, each, settings) for name, each in zip("ab", workers, strict=True)]
        for home in self.homes:
            home.folder.mkdir(parents=True)

    def mirror(self) -> Small:
        """Return the first home with what is in the bucket as its landing."""
        home, root = self.homes[0], self._place.removeprefix("s3://")
        shutil.rmtree(home.landing, ignore_errors=True)
        for name in (name for name in self._bucket.find(root) if not name.endswith("/")):
            path = home.landing / name.removeprefix(f"{root}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._bucket.cat_file(name))
        return home

    def landed(self) -> dict:
        """Return the rows of every landed day, from its files in the bucket."""
        return {f"landed {day}": rows for day, rows in self.mirror().landed().items()}


def _lines(shared: Shared, folder: Path) -> list[list]:
    """Return every line that an extract comes to."""
    record = folder / "lines.json"
    assert shared.homes[0].do(1, steps="extract", record=str(record)) == 0
    return json.loads(record.read_text(encoding="utf-8"))


def _is_stopped(home: Small) -> bool:
    """Return whether a request has come to the line at which it stops; False if it ends before."""
    state = Path(f"/proc/{home.worker.child}/stat")
    while True:
        try:
            found = state.read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if found in "TZ":
            return found == "T"
        time.sleep(0.005)


def _wake(home: Small) -> int:
    with suppress(ProcessLookupError):
        os.kill(home.worker.child, signal.SIGCONT)
    return home.worker.wait()


def test_a_paused_process_wakes_up_after_its_lease(
    fault: Callable[[str], Fault], conditional_s3_server: S3Server, worker: Worker, other_worker: Worker, tmp_path: Path
) -> None:
    """It stops at any line of an extract; another home takes the day over, and stops too in some trials, until the
    first has ended. Day by day the earlier day is there or not, whose files the extract would list again.
    """
    lines = _lines(Shared(conditional_s3_server, tmp_path / "recorded", worker, other_worker), tmp_path)
    counting, paused = fault("SIGSTOP for longer than a lease"), 0
    for chance in counting.trials(30, 1):
        shared = Shared(conditional_s3_server, tmp_path / "shared", worker, other_worker)
        (one, two), before = shared.homes, {0: 0} if counting.trial % 2 else {}
        if before:
            assert one.do(0, steps="extract") == 0
        place = len(lines) * counting.trial // 30
        one.do(1, lines=1, steps="extract", stop=lines[place], is_left=True, **LEASE)
        if _is_stopped(one):
            paused += 1
            time.sleep(LAPSED_SECONDS)
        stop = {"stop": chance.choice(lines[place // 2 :])} if chance.random() < 2 / 3 else {}
        two.do(1, lines=2, steps="extract", is_left=True, **stop, **LEASE)
        _is_stopped(two)
        codes = _wake(one), _wake(two)
        assert set(codes) <= {0, 1}, counting
        states = [before, *({**before, 1: file} for file in (1, 2))]
        counting.seen(shared.landed(), *(one.expected(state, {}) for state in states))
        time.sleep(LAPSED_SECONDS)
        assert two.do(1, lines=2, **LEASE) == 0, counting
        counting.converged((shared.landed(), one.strays(*before, 1)), (one.expected({**before, 1: 2}, {}), set()))
    assert paused > 0


@pytest.mark.parametrize(("ahead", "said"), [(600, "another process is extracting"), (3600, "Forbidden")])
def test_a_home_whose_clock_is_ahead_takes_no_lease_over(
    fault: Callable[[str], Fault], conditional_s3_server: S3Server, worker: Worker, other_worker: Worker,
    tmp_path: Path, ahead: int, said: str,
) -> None:  # fmt: skip
    """A lease of two minutes is held by a paused process. Buckets refuse who is an hour ahead."""
    counting = fault(f"a clock that is {ahead} s ahead")
    lines = _lines(Shared(conditional_s3_server, tmp_path / "recorded", worker, other_worker), tmp_path)
    for chance in counting.trials(3, 1):
        shared = Shared(conditional_s3_server, tmp_path / "shared", worker, other_worker)
        one, two = shared.homes
        one.do(1, lines=1, steps="extract", stop=chance.choice(lines[len(lines) // 2 : -20]), is_left=True)
        assert _is_stopped(one), counting
        assert two.do(1, lines=2, steps="extract", ahead=ahead, errors=str(tmp_path / "errors")) == 1, counting
        assert said in (tmp_path / "errors").read_text(encoding="utf-8"), counting
        assert _wake(one) == 0, counting
        counting.seen(shared.landed(), one.expected({1: 1}, {}))
        counting.converged(one.strays(1), set())


def test_what_another_process_places_after_a_commit_stays(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease of a process has lapsed between its commit and its removal of files that nobody lists."""
    folder, draft, swap = f"csv/x/run_date={DAYS[0]}", tmp_path / "draft", landing._store.swap

    def place(name: str) -> str:
        draft.write_bytes(b"rows")
        landing.place(draft, folder, name, 1)
        draft.unlink()
        return f"{folder}/{name}"

    def swap_and_wait(*what: Any) -> str:
        version = swap(*what)
        place("other.parquet")
        return version

    left = place("left.parquet")  # by a process that was killed
    monkeypatch.setattr(landing._store, "swap", swap_and_wait)
    landing.commit(Manifest("x", DAYS[0], "run", is_sample=False, source_tables=[], tables={}), [folder], None)
    there = landing._store.names(folder)
    assert (f"{folder}/other.parquet" in there, left in there) == (True, False)


def test_two_homes_land_at_once(
    fault: Callable[[str], Fault], conditional_s3_server: S3Server, worker: Worker, other_worker: Worker, tmp_path: Path
) -> None:
    """The same day or two days; one may be killed, and then its own home goes on at once."""
    began = time.monotonic()
    assert Shared(conditional_s3_server, tmp_path / "timed", worker, other_worker).homes[0].do(0) == 0
    length, counting = time.monotonic() - began, fault("two homes on one bucket at once")
    for chance in counting.trials(30, 1):
        shared = Shared(conditional_s3_server, tmp_path / "shared", worker, other_worker)
        one, two = shared.homes
        assert one.do(0, **LEASE) == 0
        days = (1, 1) if counting.trial % 3 else (1, 2)
        one.do(days[0], lines=1, is_left=True, **LEASE)
        time.sleep(length * chance.random() ** 3)  # most often, both are in the same lines
        two.do(days[1], lines=2, is_left=True, **LEASE)
        if is_killed := chance.random() < 0.5:
            time.sleep(chance.uniform(0, length))
            with suppress(ProcessLookupError):
                os.kill(one.worker.child, signal.SIGKILL)
        codes = one.worker.wait(), two.worker.wait()
        assert set(codes) <= {0, 1, -signal.SIGKILL}, counting
        assert is_killed or 0 in codes, counting
        states = [{0: 0} | first | second for first in ({}, {days[0]: 1}) for second in ({}, {days[1]: 2})]
        counting.seen(shared.landed(), *(one.expected(state, {}) for state in states))
        wanted = {0: 0} | dict.fromkeys(days, 1)
        for day in sorted(set(days)):
            assert one.do(day, lines=1, **LEASE) == 0, counting
        shared.mirror()
        counting.converged((one.state(), one.strays(*wanted)), (one.expected(wanted, wanted), set()))
