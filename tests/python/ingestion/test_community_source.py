"""The API source: answers are kept unchanged, and a day can be read again from them."""

import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from ingestion.errors import Refused, StepFailed
from ingestion.extract import extract_source
from ingestion.landing import Landing, Manifest
from ingestion.rejects import read_rejects
from ingestion.replay import replay_source
from ingestion.settings import Home
from ingestion.sources import SOURCES
from tests.python.community import FaultyApi, FaultyHandler, hang, small_rows, status
from tests.python.sandbox import Sandbox

DAY, NEXT_DAY = "2021-01-01", "2021-01-02"
COMMUNITY = SOURCES["community"]
EXTRACT = ("extract", "--run-date", DAY, "--source", "community")
CANARY = "canary-7f3a19c2e8"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: FaultyApi) -> Home:
    """A home whose API is asked for ten rows a page."""
    monkeypatch.setenv("SOURCES__COMMUNITY__BASE_URL", api.url)
    monkeypatch.setenv("SOURCES__COMMUNITY__PAGE_SIZE", "10")
    return Home(tmp_path)


@pytest.fixture
def sandbox(bare_sandbox: Sandbox, api: FaultyApi) -> Sandbox:
    """A fresh home whose API is the small community."""
    bare_sandbox.settings |= {"SOURCES__COMMUNITY__BASE_URL": api.url, "SOURCES__COMMUNITY__PAGE_SIZE": "10"}
    return bare_sandbox


def _flat(row: dict, prefix: str = "") -> dict:
    """Return an object's fields by their path with underscores; coordinates are numbers."""
    found = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}_")
        else:
            found[prefix + name] = float(value) if name in ("lat", "lng") else value
    return found


def _landed(home: Home, manifest: Manifest, table: str) -> list[dict]:
    with Landing(home).local(manifest.source, manifest.run_date, manifest.tables[table].files) as paths:
        rows = [row for path in paths for row in parquet.read_table(path).to_pylist()]
    return sorted(rows, key=lambda row: row["id"])


def _hashes(manifest: dict) -> dict[str, str]:
    return {name: table["content_hash"] for name, table in manifest["tables"].items()}


def test_every_list_lands_typed_and_flat(api: FaultyApi, home: Home) -> None:
    manifest = extract_source(COMMUNITY, DAY, home)
    assert not manifest.is_sample
    for table in manifest.tables:
        served = [_flat(row) for row in api.served(table)]
        read = _landed(home, manifest, table)
        assert [{name: row[name] for name in served[0]} for row in read] == served
        assert set(served[0]) <= {column.name for column in manifest.tables[table].columns}
        assert manifest.tables[table].totals["source"].key == str(sum(row["id"] for row in served))
    types = {column.name: column.type for column in manifest.tables["users"].columns}
    numbers = {"id": "int64", "address_geo_lat": "double", "address_geo_lng": "double"}
    assert types == dict.fromkeys(_flat(small_rows()["users"][0]), "string") | numbers
    assert {column.name: column.type for column in manifest.tables["todos"].columns}["completed"] == "bool"


def test_answers_are_kept_as_they_came(api: FaultyApi, home: Home) -> None:
    manifest = extract_source(COMMUNITY, DAY, home)
    assert [answer.request for answer in manifest.answers if answer.table == "posts"] == [
        f"/posts?_limit=10&_page={page}" for page in (1, 2, 3)
    ]
    for answer in manifest.answers:
        path = Path(home.landing) / answer.path
        assert path.parent == Path(home.landing) / "api" / "_raw" / answer.table / f"run_date={DAY}"
        assert path.name.endswith(".json.gz")
        assert (answer.bytes, answer.sha256) == (
            path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest(),
        )  # fmt: skip
        with urllib.request.urlopen(api.url + answer.request) as asked:  # noqa: S310
            assert gzip.decompress(path.read_bytes()) == asked.read()
            assert (answer.status, answer.total_count) == (asked.status, int(asked.headers["X-Total-Count"]))
    again = extract_source(COMMUNITY, DAY, home)
    assert sorted(path.name for path in Path(home.landing).rglob("*.json.gz")) == sorted(
        Path(answer.path).name for answer in again.answers
    )


@pytest.mark.parametrize("lost", ["its rows", "all but its answers"])
def test_a_day_is_made_again_from_its_answers_alone(sandbox: Sandbox, api: FaultyApi, lost: str) -> None:
    api.rows["todos"].append(b'{"userId": 1, "id": "seven", "title": "x", "completed": true}')
    sandbox.succeed(*EXTRACT)
    before = sandbox.manifest("community", DAY)
    for table in before["tables"]:
        shutil.rmtree(sandbox.home / "landing" / "api" / table)
    shutil.rmtree(sandbox.home / "landing" / "_rejects")
    if lost == "all but its answers":
        shutil.rmtree(sandbox.home / "landing" / "_manifests")
    api.shutdown()
    api.server_close()
    sandbox.succeed(*EXTRACT, "--from-raw")
    after = sandbox.manifest("community", DAY)
    assert _hashes(after) == _hashes(before)
    assert after["answers"] == before["answers"]
    assert {name: table["rejected_rows"] for name, table in after["tables"].items() if table["rejected_rows"]} == {
        "todos": 1
    }
    assert sandbox.fail(1, "extract", "--run-date", NEXT_DAY, "--source", "community").count("Connection refused") == 1
    sandbox.succeed("load", "--run-date", DAY, "--source", "community")
    assert sandbox.query("select count(*) from raw_community.posts") == [(23,)]
    ledger = json.loads((sandbox.home / "runs" / DAY / "extract.json").read_text())["sources"]["community"]
    assert ledger["command"] == f"tradewinds extract --run-date {DAY} --source community --from-raw"


def test_what_has_no_answers_cannot_be_made_again(sandbox: Sandbox) -> None:
    line = sandbox.fail(3, *EXTRACT, "--from-raw")
    assert line.endswith(
        f"no answers of the API have landed on this day; run: tradewinds extract --run-date {DAY} --source community"
    )
    assert not (sandbox.home / "landing" / "_manifests" / "community").exists()
    for sources in ([], ["--source", "northwind"]):
        line = sandbox.fail(2, "extract", "--run-date", DAY, *sources, "--from-raw")
        assert line == "tradewinds: --from-raw needs --source community: no other source's answers are kept"


def test_a_damaged_answer_is_found(home: Home) -> None:
    manifest = extract_source(COMMUNITY, DAY, home)
    path = Path(home.landing) / manifest.answers[3].path
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(StepFailed, match=r"landed file api/_raw/posts/.* is damaged"):
        extract_source(COMMUNITY.reading_kept(home, DAY), DAY, home)
    assert Landing(home).manifest("community", DAY) == manifest
    path.unlink()
    faults = Landing(home).faults("community", NEXT_DAY, read_files=True)
    assert faults == ["community has not landed"]
    with pytest.raises(Refused):
        COMMUNITY.reading_kept(home, NEXT_DAY)


def test_a_table_alone_keeps_the_answers_of_the_others(api: FaultyApi, home: Home) -> None:
    before = extract_source(COMMUNITY, DAY, home)
    api.change("albums", lambda row: row | {"title": "land"})
    api.requests.clear()
    after = extract_source(COMMUNITY, DAY, home, tables=["albums"])
    assert {path.partition("?")[0] for path in api.requests} == {"/albums"}
    assert [answer for answer in after.answers if answer.table != "albums"] == [
        answer for answer in before.answers if answer.table != "albums"
    ]
    assert Landing(home).faults("community", DAY, read_files=True) == []
    rebuilt = extract_source(COMMUNITY.reading_kept(home, DAY), DAY, home, tables=["albums"])
    assert rebuilt.tables["albums"].content_hash == after.tables["albums"].content_hash


def test_answers_may_lie_in_a_store_of_their_own(
    api: FaultyApi, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEWINDS_LANDING_RAW_URL", str(tmp_path / "answers"))
    extract_source(COMMUNITY, DAY, home)
    manifest = extract_source(COMMUNITY, DAY, home)
    kept = {path.relative_to(tmp_path / "answers").as_posix() for path in (tmp_path / "answers").rglob("*.gz")}
    assert kept == {answer.path for answer in manifest.answers}
    assert not list(Path(home.landing).rglob("*.gz"))
    landing = Landing(home)
    assert landing.faults("community", DAY, read_files=True) == []
    assert landing.location(manifest.answers[0].path) == str(tmp_path / "answers" / manifest.answers[0].path)
    assert landing.location() == home.landing
    (Path(home.landing) / "_manifests" / "community" / f"{DAY}.json").unlink()
    again = extract_source(COMMUNITY.reading_kept(home, DAY), DAY, home)
    assert (again.answers, again.rows) == (manifest.answers, manifest.rows)
    Path(landing.location(manifest.answers[0].path)).unlink()
    assert Landing(home).faults("community", DAY, read_files=True) == [
        f"community: landed file {manifest.answers[0].path} is missing"
    ]


BAD_POSTS = {
    '{"userId": 1, "title": "no id",  "body": "b"}': "id is missing",
    '{"userId": 1, "id": null, "title": "t", "body": "b"}': "id is missing",
    '{"id": 101, "title": "t", "body": "b"}': "userId is missing",
    '{"userId": "1", "id": 102, "title": "t", "body": "b"}': "userId has the wrong type",
    '{"userId": 1, "id": 103.0, "title": "t", "body": "b"}': "id has the wrong type",
    '{"userId": true, "id": 104, "title": "t", "body": "b"}': "userId has the wrong type",
    '{"userId": 1, "id": 9223372036854775808, "title": "t", "body": "b"}': "id has the wrong type",
    '{"userId": 1, "id": 105, "title": 7, "body": "b"}': "title has the wrong type",
    '{"userId": 1, "id": 106, "title": "nul \\u0000", "body": "b"}': "title has a character that can't be stored",
    '{"userId": 1, "id": 107, "title": "half \\ud83d", "body": "b"}': "title has a character that can't be stored",
    "[]": "no object",
    "null": "no object",
    f'{{"userId": 1, "id": {"9" * 5000}, "title": "t", "body": "b"}}': "id has the wrong type",
}


def test_a_row_that_breaks_the_shape_is_kept_with_its_text(
    api: FaultyApi, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__COMMUNITY__MAX_REJECTED_SHARE", "1")
    good = len(api.rows["posts"])
    api.rows["posts"][5:5] = [text.encode() for text in BAD_POSTS]
    api.rows["posts"].append(b'{"userId": 1, "id": 108}')
    api.rows["users"][0] = api.rows["users"][0].replace(b'"-37.3159"', b'"south"')
    api.rows["users"][1] = api.rows["users"][1].replace(b'"Mooring"', b'["Mooring"]')
    manifest = extract_source(COMMUNITY, DAY, home)
    posts = manifest.tables["posts"]
    assert (posts.rows, posts.rejected_rows, posts.read_rows) == (good + 1, len(BAD_POSTS), good + 1 + len(BAD_POSTS))
    assert _landed(home, manifest, "posts")[-1] == {"userId": 1, "id": 108, "title": None, "body": None}
    rejects = read_rejects(Landing(home), manifest).to_pylist()
    found = [(row["raw_text"], row["rule"]) for row in rejects if row["table"] == "posts"]
    assert found == list(BAD_POSTS.items())
    places = [(row["file"], row["line_number"]) for row in rejects if row["table"] == "posts"]
    assert places[:6] == [*(("/posts?_limit=10&_page=1", number) for number in range(6, 11)),
                          ("/posts?_limit=10&_page=2", 1)]  # fmt: skip
    assert [row["rule"] for row in rejects if row["table"] == "users"] == [
        "address_geo_lat has the wrong type", "company_name has the wrong type",
    ]  # fmt: skip


def test_mostly_rejected_rows_stop_the_extract(api: FaultyApi, home: Home) -> None:
    api.change("todos", lambda row: row | {"completed": "yes"})
    with pytest.raises(StepFailed, match=r"table todos: 6 of 6 rows can't be read, more than max_rejected_share = 0.9"):
        extract_source(COMMUNITY, DAY, home)
    assert Landing(home).manifest("community", DAY) is None


def test_a_mended_row_is_taken_in_by_a_replay(api: FaultyApi, home: Home) -> None:
    api.rows["todos"][2] = b'{"userId": 1, "id": 3, "title": "do", "completed": "no"}'
    before = extract_source(COMMUNITY, DAY, home)
    api.rows["todos"][2] = b'{"userId": 1, "id": 3, "title": "do", "completed": false}'
    replay = replay_source(COMMUNITY, DAY, home, lambda *_: None)
    assert (replay.added, replay.after.rejected_rows, before.rejected_rows) == (1, 0, 1)
    assert Landing(home).faults("community", DAY, read_files=True) == []


def _texts_of(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield path, gzip.decompress(content) if path.suffix == ".gz" else content


def test_the_key_is_sent_and_kept_nowhere(sandbox: Sandbox, api: FaultyApi) -> None:
    sandbox.settings |= {
        "SOURCES__COMMUNITY__API_KEY": CANARY,
        "SOURCES__COMMUNITY__MAX_ATTEMPTS": "2",
        "SOURCES__COMMUNITY__MAX_WAIT_SECONDS": "0",
    }
    api.faults = {"todos": [hang(3)]}
    process = sandbox.start(*EXTRACT)
    while api.faults["todos"] != [] and process.poll() is None:
        time.sleep(0.05)
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if os.access(path, os.R_OK)]
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    said = [output, errors, sandbox.succeed("load", "--run-date", DAY, "--source", "community")]
    for fault in (status(401), status(500)):
        api.always = {"users": fault}
        said.append(sandbox.fail(1, *EXTRACT))
    assert api.headers
    assert all(headers["Authorization"] == f"Bearer {CANARY}" for headers in api.headers)
    assert CANARY not in "".join(said)
    assert not [command for command in running if CANARY.encode() in command]
    assert [path for path, content in _texts_of(sandbox.home) if CANARY.encode() in content] == []


def test_a_key_may_have_a_header_of_its_own(api: FaultyApi, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__COMMUNITY__API_KEY", CANARY)
    monkeypatch.setenv("SOURCES__COMMUNITY__API_KEY_HEADER", "X-API-Key")
    extract_source(COMMUNITY, DAY, home, tables=["users"])
    (headers,) = api.headers
    assert headers["X-API-Key"] == CANARY
    assert "Authorization" not in headers


def test_a_base_url_may_have_a_path_and_a_password(api: FaultyApi, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    class Below(FaultyHandler):
        def do_GET(self) -> None:  # noqa: N802
            assert self.path.startswith("/v1/")
            self.path = self.path.removeprefix("/v1")
            super().do_GET()

    api.RequestHandlerClass = Below
    url = api.url.replace("http://", f"http://clerk:{CANARY}@")
    monkeypatch.setenv("SOURCES__COMMUNITY__BASE_URL", f"{url}/v1/")
    manifest = extract_source(COMMUNITY, DAY, home, tables=["users"])
    assert [answer.request for answer in manifest.answers] == ["/v1/users?_limit=10&_page=1"]
    assert CANARY not in manifest.to_json()
    assert api.headers[0]["Authorization"].startswith("Basic ")


def test_a_killed_extract_leaves_no_half_day(sandbox: Sandbox, api: FaultyApi) -> None:
    api.faults = {"todos": [hang(5)]}
    process = sandbox.start(*EXTRACT)
    while api.faults["todos"] and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    manifests = sandbox.home / "landing" / "_manifests" / "community"
    assert [path.name for path in manifests.iterdir()] == [f"{DAY}.started"]
    sandbox.succeed(*EXTRACT)
    listed = {file["path"] for file in sandbox.manifest("community", DAY)["answers"]}
    landing = sandbox.home / "landing"
    assert {path.relative_to(landing).as_posix() for path in landing.rglob("*.gz")} == listed


def test_unconfigured_is_the_sample_and_leaves_no_server(bare_sandbox: Sandbox) -> None:
    bare_sandbox.succeed(*EXTRACT)
    manifest = bare_sandbox.manifest("community", DAY)
    assert manifest["is_sample"]
    assert {name: table["rows"] for name, table in manifest["tables"].items()} == {
        "users": 10, "posts": 100, "comments": 500, "albums": 100, "photos": 5000, "todos": 200,
    }  # fmt: skip
    assert len([answer for answer in manifest["answers"] if answer["table"] == "photos"]) == 10
    bare_sandbox.succeed("extract", "--run-date", NEXT_DAY, "--source", "community")
    assert _hashes(bare_sandbox.manifest("community", NEXT_DAY)) == _hashes(manifest)


def test_the_sample_api_answers_until_it_is_stopped(bare_sandbox: Sandbox) -> None:
    process = bare_sandbox.start("sources", "api", "--port", "18322")
    try:
        url = re.search(r"http://[\d.:]+", process.stdout.readline())[0]
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"{url}/posts?_page=2&_limit=30") as answer:  # noqa: S310
                    rows, headers = json.load(answer), answer.headers
                break
            except ConnectionError:
                time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert [row["id"] for row in rows] == list(range(31, 61))
    assert headers["X-Total-Count"] == "100"
    assert f'<{url}/posts?_page=3&_limit=30>; rel="next"' in headers["Link"]
