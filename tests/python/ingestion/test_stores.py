"""Every store keeps the same promises: a folder, a bucket with conditional puts, and one without."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import fsspec
import pytest

from ingestion.errors import BadRequest
from ingestion.settings import PROJECT, Home
from ingestion.stores import Overtaken, Store, lease, open_store
from tests.python.s3_servers import KEY, SECRET, S3Server

SERVERS = {"disk": None, "rclone": "s3_server", "seaweedfs": "conditional_s3_server"}
ON_BUCKETS = pytest.mark.parametrize("place", ["rclone", "seaweedfs"], indirect=True)


@dataclass
class Place:
    """A store's URL, and its server if it has one."""

    kind: str
    url: str
    server: S3Server | None
    folder: Path

    def open(self, home: str = "home") -> Store:
        """Open the store as a home of this name does."""
        return open_store(self.url, self.folder / home)


@pytest.fixture(params=SERVERS)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "disk":
        return Place("disk", str(tmp_path / "store"), None, tmp_path)
    server: S3Server = request.getfixturevalue(SERVERS[request.param])
    monkeypatch.setitem(fsspec.config.conf, "s3", server.options)
    return Place(request.param, f"{server.new_place()}/a prefix", server, tmp_path)


@pytest.fixture
def store(place: Place) -> Store:
    return place.open()


def test_files_are_known_by_their_names(store: Store, place: Place) -> None:
    assert (store.names(), store.names("a"), store.size("a/b"), store.version("a/b")) == ([], [], None, None)
    store.write("a/run_date=2021-01-01/é *.txt", "grüße")
    store.write("a/c.json", "")
    store.write("ab/d", "x")
    assert store.names() == ["a/c.json", "a/run_date=2021-01-01/é *.txt", "ab/d"]
    assert store.names("a") == store.names()[:2]
    assert store.read(store.names()[1]) == "grüße"
    assert (store.size(store.names()[1]), store.size("a/c.json"), store.size("a")) == (7, 0, None)
    with store.open("ab/d") as file:
        assert file.read() == b"x"
    assert store.location("ab/d") == f"{place.url}/ab/d"
    assert store.location() == place.url
    with pytest.raises(FileNotFoundError):
        store.read("no")
    with pytest.raises(FileNotFoundError), store.local(["ab/d", "no"]):
        pass
    store.remove("ab/d")
    store.remove("ab/d")
    store.prune("ab")
    assert store.names("ab") == []


def test_a_name_may_not_lead_out_of_the_store(store: Store) -> None:
    assert store.holds("a/b..c")
    assert [store.holds(name) for name in ("../x", "/etc/passwd", "a/../../x")] == [False] * 3


def test_a_file_that_is_added_never_replaces_another(store: Store, tmp_path: Path) -> None:
    for text in ("old", "new"):
        (tmp_path / text).write_text(text)
    store.add(tmp_path / "old", "folder/name")
    with pytest.raises(FileExistsError):
        store.add(tmp_path / "new", "folder/name")
    assert store.read("folder/name") == "old"
    assert (tmp_path / "old").read_text() == "old"


def test_drafts_are_put_in_place_and_leave_nothing(store: Store, place: Place) -> None:
    for text in ("one", "two"):
        with store.draft("folder/name.csv") as draft:
            draft.write_text(text)
            assert draft.name == "name.csv"
            store.put(draft, "folder/name.csv")
        assert store.read("folder/name.csv") == text
    with store.draft("other") as draft:
        draft.write_text("never put")
    store.copy("folder/name.csv", "copied")
    assert store.read("copied") == "two"
    assert store.names() == ["copied", "folder/name.csv"]
    assert not store.work.exists() or not [path for path in store.work.rglob("*") if path.is_file()]


def test_local_files_are_gone_from_elsewhere_and_stay_here(store: Store, place: Place) -> None:
    store.write("a/x", "1")
    store.write("b/x", "2")
    with store.local(["a/x", "b/x"]) as paths:
        assert [path.read_text() for path in paths] == ["1", "2"]
    assert [path.exists() for path in paths] == [place.kind == "disk"] * 2


def test_the_latest_file_is_read_by_path(store: Store) -> None:
    assert store.latest("file.db") is None
    seen = []
    for number in range(4):
        store.write("file.db", f"{number}")
        seen += [store.latest("file.db"), store.latest("file.db")]
        assert seen[-1] == seen[-2]
        assert seen[-1].read_text() == f"{number}"
        time.sleep(0.01)  # the age of a copy tells which is older
    assert len({path for path in seen if path.exists()}) <= 2


def test_a_version_is_swapped_only_for_the_one_that_is_there(store: Store) -> None:
    first = store.swap("day.json", "1", None)
    assert first == store.version("day.json")
    with pytest.raises(Overtaken):
        store.swap("day.json", "2", None)
    second = store.swap("day.json", "2", first)
    assert (store.read("day.json"), second == first) == ("2", False)
    with pytest.raises(Overtaken):
        store.swap("day.json", "3", first)
    store.remove("day.json")
    with pytest.raises(Overtaken):
        store.swap("day.json", "3", second)
    assert store.names() == []


@pytest.mark.parametrize("place", ["seaweedfs"], indirect=True)  # a lock stands before it on disk; rclone can't tell
def test_of_many_that_swap_at_once_one_wins(place: Place) -> None:
    def swap(number: int) -> int:
        try:
            place.open(f"home-{number}").swap("day.json", f"{number}", None)
        except Overtaken:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(swap, range(16))) == 1


def test_what_a_store_cannot_promise_is_said(store: Store, place: Place) -> None:
    caution = store.caution()
    assert (caution is not None) == (place.kind == "rclone")
    assert caution is None or "ignores conditional puts" in caution
    assert store.names() == []


# Locks


HOLD = """
import sys, time
from pathlib import Path
from ingestion.stores import open_store
store = open_store(sys.argv[1], Path(sys.argv[2]))
with store.lock("_locks/x"), store.draft("d") as draft:
    draft.write_text("left")
    print(draft, flush=True)
    time.sleep(60)
"""


def _holding(place: Place, home: str = "home") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, place.url, str(place.folder / home)],
        cwd=PROJECT,
        env=os.environ | (place.server.settings if place.server else {}),
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_lock_is_held_by_one_and_freed_by_kill(place: Place) -> None:
    store, other = place.open(), place.open("another home")
    holder = _holding(place)
    try:
        draft = Path(holder.stdout.readline().strip())
        for one in (store, other):
            with pytest.raises(BlockingIOError), one.lock("_locks/x"):
                pass
        with store.lock("_locks/y"):
            pass
        assert draft.exists()
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with store.lock("_locks/x"), pytest.raises(BlockingIOError), other.lock("_locks/x"):
        pass
    with store.draft("e"):
        assert not draft.exists()  # what was killed leaves nothing behind
    with other.lock("_locks/x"):
        pass


@ON_BUCKETS  # the kernel frees a lock on disk
def test_another_home_takes_a_lease_over_when_it_has_lapsed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = _holding(place)
    holder.stdout.readline()
    holder.kill()
    holder.communicate()
    other = place.open("another home")
    with pytest.raises(BlockingIOError), other.lock("_locks/x"):
        pass
    lasts = 5
    monkeypatch.setattr(lease, "LASTS_SECONDS", lasts)
    time.sleep(lasts + 1)
    with other.lock("_locks/x"):
        held = json.loads(other.read("_locks/x"))
        assert held["lasts_seconds"] == lasts
        # It is renewed for as long as it is held.
        time.sleep(lasts + 1)
        with pytest.raises(BlockingIOError), place.open("a third home").lock("_locks/x"):
            pass
    assert other.names() == []


# What goes wrong


@ON_BUCKETS
@pytest.mark.parametrize(
    "wrong", [{"secret": "wrong-secret"}, {"key": "wrong-key"}, {"endpoint_url": "http://127.0.0.1:1"}, {}]
)
def test_a_bucket_that_cannot_be_used_is_one_line(
    place: Place, wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # waiting for a server that isn't there proves nothing
    monkeypatch.setitem(fsspec.config.conf, "s3", place.server.options | wrong)
    store = open_store(place.url if wrong else "s3://nobody/here", place.folder)
    for act in (lambda: store.names(), lambda: store.write("a", "b"), lambda: store.lock("x").__enter__()):
        with pytest.raises(OSError, match="s3://") as raised:
            act()
        assert len(str(raised.value).splitlines()) == 1
        assert not any(
            secret in str(raised.value) for secret in (SECRET, *wrong.values()) if secret != wrong.get("endpoint_url")
        )


@pytest.mark.parametrize("name", ["LANDING", "PUBLISHED", "EXPORTS", "BACKUPS"])
def test_a_url_that_is_no_place_is_refused_without_repeating_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in ("s3://", f"s3://{KEY}:{SECRET}@bucket/x", "s3://bucket/x?y", "gs://bucket"):
        monkeypatch.setenv(f"TRADEWINDS_{name}_URL", url)
        with pytest.raises(
            BadRequest, match=rf"^TRADEWINDS_{name}_URL: (expected s3://bucket/prefix|.* not gs://$)"
        ) as refusal:
            getattr(Home(tmp_path), name.lower())
        assert SECRET not in refusal.value.reason
