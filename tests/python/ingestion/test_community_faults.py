"""Faults of an API are retried or refused; a day lands completely or not at all."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.errors import TradewindsError
from ingestion.extract import extract_source
from ingestion.landing import Landing, Manifest
from ingestion.settings import Home
from ingestion.sources import SOURCES
from tests.python.community import (
    FaultyApi,
    cut,
    cut_unannounced,
    hang,
    short,
    status,
    text,
    trickle,
)
from tests.python.sandbox import Sandbox

DAY, NEXT_DAY = "2021-01-01", "2021-01-02"
COMMUNITY = SOURCES["community"]
ROWS = {"users": 2, "posts": 23, "comments": 40, "albums": 2, "photos": 5, "todos": 6}
Extract = Callable[..., Manifest]
ReadIds = Callable[[str], list[int]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: FaultyApi) -> Home:
    """A home whose API is asked for ten rows a page, three times at most, without long waits."""
    settings = {
        "BASE_URL": api.url, "PAGE_SIZE": "10", "MAX_ATTEMPTS": "3", "MAX_WAIT_SECONDS": "0.2",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(f"SOURCES__COMMUNITY__{name}", value)
    return Home(tmp_path)


@pytest.fixture
def extract(home: Home) -> Extract:
    """Extract a day."""
    return lambda day=DAY, **options: extract_source(COMMUNITY, day, home, **options)


@pytest.fixture
def read_ids(home: Home, tmp_path_factory: pytest.TempPathFactory) -> ReadIds:
    """Read a list alone, and return its ids."""

    def read(table: str) -> list[int]:
        with COMMUNITY.open(home, DAY, tmp_path_factory.mktemp("work")) as reading:
            ids = [id_ for batch in reading.read(table) for id_ in batch["id"].to_pylist()]
            assert reading.count(table) == len(ids)
            return ids

    return read


def _rows(manifest: Manifest) -> dict[str, int]:
    return {name: table.rows for name, table in manifest.tables.items()}


def _refusal(work: Callable[..., object], *asked: str) -> str:
    with pytest.raises(TradewindsError) as raised:
        work(*asked)
    return raised.value.reason


def _landed_files(home: Home) -> list[str]:
    found = (path for path in Path(home.landing).rglob("*") if path.is_file())
    return sorted(path.name for path in found if path.suffix not in (".lock", ".started"))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(status(500), id="500"),
        pytest.param(status(503, Retry_After="0"), id="503"),
        pytest.param(status(429, Retry_After="1"), id="429"),
        pytest.param(status(429, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT"), id="429 until a date"),
        pytest.param(status(408), id="408"),
        pytest.param(cut, id="cut connection"),
        pytest.param(cut_unannounced, id="cut connection, unknown length"),
        pytest.param(short(2), id="short page"),
        pytest.param(text(b"[]"), id="empty page"),
        pytest.param(text(b"{}"), id="an object"),
        pytest.param(text(b"<html>busy</html>"), id="no JSON"),
        pytest.param(text(b"\xff[]"), id="no UTF-8"),
        pytest.param(text(b"[NaN]"), id="NaN"),
    ],
)
def test_a_passing_fault_is_tried_again(api: FaultyApi, read_ids: ReadIds, fault) -> None:
    api.faults = {"posts": [lambda handler, *sent: handler.send(*sent), fault, fault]}
    assert read_ids("posts") == list(range(1, 24))
    assert [path.partition("_page=")[2] for path in api.requests] == ["1", "2", "2", "2", "3"]


def test_what_is_tried_again_lands_once(api: FaultyApi, extract: Extract) -> None:
    clean = extract(NEXT_DAY)
    api.faults = {"posts": [cut, short(2)], "photos": [status(500)], "users": [status(429, Retry_After="0")]}
    manifest = extract()
    assert _rows(manifest) == ROWS
    for name, table in manifest.tables.items():
        assert table.content_hash == clean.tables[name].content_hash
    assert [answer.request for answer in manifest.answers] == [answer.request for answer in clean.answers]


NO_LIST = "its answer is no whole JSON list"


@pytest.mark.parametrize(
    ("fault", "reason", "tries"),
    [
        pytest.param(status(500), "it answered 500", 3, id="500"),
        pytest.param(status(429), "it answered 429", 3, id="429"),
        pytest.param(status(404), "it answered 404", 1, id="404"),
        pytest.param(status(401), "it answered 401 (see api_key)", 1, id="401"),
        pytest.param(status(302, Location="http://127.0.0.1:9/"), "it answered 302", 1, id="a redirection"),
        pytest.param(cut, "the connection was cut in mid-answer", 3, id="cut"),
        pytest.param(cut_unannounced, NO_LIST, 3, id="cut, unknown length"),
        pytest.param(short(1), "page 1 has 9 rows instead of 10 (see page_size)", 3, id="short page"),
        pytest.param(text(b'{"error": "busy"}'), NO_LIST, 3, id="an object"),
        pytest.param(text(b"[" * 100_000), NO_LIST, 3, id="too deep"),
    ],
)
def test_a_lasting_fault_is_refused(api: FaultyApi, read_ids: ReadIds, fault, reason: str, tries: int) -> None:
    api.always = {"posts": fault}
    assert _refusal(read_ids, "posts") == f"posts can't be read{' after 3 attempts' * (tries == 3)}: {reason}"
    assert len(api.requests) == tries


def test_after_a_refusal_the_day_is_the_old_one_or_none(api: FaultyApi, home: Home, extract: Extract) -> None:
    api.always = {"todos": cut}
    reason = "todos can't be read after 3 attempts: the connection was cut in mid-answer"
    assert _refusal(extract) == reason
    assert _landed_files(home) == []
    api.always = {}
    before = extract()
    files = _landed_files(home)
    api.always = {"todos": cut}
    assert _refusal(extract) == reason
    assert _landed_files(home) == files
    landing = Landing(home)
    assert landing.manifest("community", DAY) == before
    assert landing.faults("community", DAY, read_files=True) == ["the last extract of community failed or was cut off"]


@pytest.mark.parametrize("fault", [hang(6), trickle], ids=["hang", "a byte now and then"])
def test_an_answer_has_its_time(api: FaultyApi, read_ids: ReadIds, monkeypatch: pytest.MonkeyPatch, fault) -> None:
    monkeypatch.setenv("SOURCES__COMMUNITY__TIMEOUT_SECONDS", "2")
    api.always = {"posts": fault}
    reason = "posts can't be read after 3 attempts: no whole answer within 2 seconds (timeout_seconds)"
    assert _refusal(read_ids, "posts") == reason
    assert len(api.requests) == 3


def test_an_api_that_is_not_there_is_refused(read_ids: ReadIds, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("SOURCES__COMMUNITY__BASE_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        reason = _refusal(read_ids, "users")
    assert reason == "users can't be read after 3 attempts: the connection failed (Connection refused)"


def test_retry_after_is_waited_for_as_far_as_is_allowed(
    api: FaultyApi, read_ids: ReadIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__COMMUNITY__MAX_WAIT_SECONDS", "1")
    api.faults = {"todos": [status(429, Retry_After="3600")]}
    started = time.monotonic()
    assert len(read_ids("todos")) == ROWS["todos"]
    assert 1 <= time.monotonic() - started < 60


def test_all_attempts_together_have_a_budget(
    api: FaultyApi, read_ids: ReadIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__COMMUNITY__MAX_ATTEMPTS", "100")
    monkeypatch.setenv("SOURCES__COMMUNITY__BUDGET_SECONDS", "2")
    api.always = {"posts": status(500)}
    started = time.monotonic()
    reason = "posts can't be read: the API took more than 2 seconds in all (budget_seconds)"
    assert _refusal(read_ids, "posts") == reason
    assert time.monotonic() - started < 60


# Where a list ends


def test_without_counts_a_list_goes_on_to_an_empty_page(api: FaultyApi, extract: Extract) -> None:
    api.has_counts = False
    manifest = extract()
    assert _rows(manifest) == ROWS
    assert {answer.total_count for answer in manifest.answers} == {None}
    comments = [answer.request for answer in manifest.answers if answer.table == "comments"]
    assert len(comments) == 5, "forty rows by ten, and an empty page"


def test_without_counts_a_short_page_before_the_last_is_refused(api: FaultyApi, read_ids: ReadIds) -> None:
    api.has_counts = False
    api.faults = {"comments": [lambda handler, *sent: handler.send(*sent), short(3)]}
    reason = "comments can't be read: page 2 was short, and yet page 3 has rows (see page_size)"
    assert _refusal(read_ids, "comments") == reason


@pytest.mark.parametrize("has_counts", [True, False])
def test_an_api_without_pages_is_read_once(api: FaultyApi, extract: Extract, has_counts: bool) -> None:
    api.has_pages, api.has_counts = False, has_counts
    if has_counts:
        api.always = {
            resource: lambda handler, code, body, headers: handler.send(
                code, body, {"X-Total-Count": str(len(json.loads(body)))}
            )
            for resource in ROWS
        }
    manifest = extract()
    assert _rows(manifest) == ROWS
    assert len(manifest.answers) == len(ROWS)


def test_a_count_that_changes_meanwhile_is_refused(api: FaultyApi, read_ids: ReadIds) -> None:
    def sent_and_deleted(handler, *sent) -> None:
        handler.send(*sent)
        del api.rows["posts"][3]

    api.faults = {"posts": [sent_and_deleted]}
    reason = "posts can't be read: page 2: X-Total-Count went from 23 to 22 while it was read"
    assert _refusal(read_ids, "posts") == reason


def test_rows_that_move_meanwhile_are_refused(api: FaultyApi, home: Home, extract: Extract) -> None:
    def sent_and_added(handler, *sent) -> None:
        handler.send(*sent)
        api.rows["comments"] = [api.rows["comments"][0].replace(b'"id": 1,', b'"id": 99,'), *api.rows["comments"][:-1]]

    api.faults = {"comments": [sent_and_added]}
    assert _refusal(extract) == "table comments: id 10 was sent twice; its rows moved while they were read"
    assert _landed_files(home) == []


def test_a_page_longer_than_it_says_is_refused(api: FaultyApi, read_ids: ReadIds) -> None:
    api.always = {"albums": text(b'[{"userId": 1, "id": 1}, {"userId": 1, "id": 2}, {"userId": 1, "id": 3}]')}
    assert _refusal(read_ids, "albums").endswith("page 1 has 3 rows instead of 2 (see page_size)")


# What a row may lack


def test_an_added_field_is_told_and_kept_in_the_answers(api: FaultyApi, home: Home, extract: Extract) -> None:
    api.change("posts", lambda row: row | {"tags": ["a"]})
    api.change("users", lambda row: row | {"company": row["company"] | {"vat": "1"}})
    manifest = extract()
    assert manifest.undeclared_fields == {"users": ["company.vat"], "posts": ["tags"]}
    assert [column.name for column in manifest.tables["posts"].columns] == ["userId", "id", "title", "body"]
    assert extract(tables=["todos"]).undeclared_fields == manifest.undeclared_fields
    assert extract(tables=["posts"]).undeclared_fields == manifest.undeclared_fields


def test_a_dropped_field_is_refused_unless_it_is_meant(api: FaultyApi, home: Home, extract: Extract) -> None:
    extract()
    api.change("posts", lambda row: {name: value for name, value in row.items() if name != "body"})
    api.change("users", lambda row: row | {"address": None})
    reason = _refusal(extract, NEXT_DAY)
    assert reason.startswith("fields that are declared are in no row: users.address.street, users.address.suite, ")
    assert reason.endswith("users.address.geo.lng, posts.body; if this is intended, add --accept-drift")
    assert Landing(home).days("community") == [DAY]
    assert not [
        path for path in Path(home.landing).rglob("*.*") if NEXT_DAY in str(path) and path.suffix in (".parquet", ".gz")
    ]
    manifest = extract(NEXT_DAY, accept_drift=True)
    assert _rows(manifest) == ROWS
    assert "body" in [column.name for column in manifest.tables["posts"].columns]


@pytest.mark.parametrize("has_counts", [True, False])
def test_a_list_without_rows_has_dropped_nothing(api: FaultyApi, extract: Extract, has_counts: bool) -> None:
    api.rows["photos"], api.has_counts = [], has_counts
    assert _rows(extract()) == ROWS | {"photos": 0}


# The command


def test_the_command_says_it_in_one_line(bare_sandbox: Sandbox, api: FaultyApi) -> None:
    bare_sandbox.settings |= {
        "SOURCES__COMMUNITY__BASE_URL": api.url,
        "SOURCES__COMMUNITY__MAX_ATTEMPTS": "2",
        "SOURCES__COMMUNITY__MAX_WAIT_SECONDS": "0",
    }
    api.always = {"photos": status(500)}
    line = bare_sandbox.fail(1, "extract", "--run-date", DAY, "--source", "community")
    assert line == (
        f"tradewinds: extract {DAY} failed: community: photos can't be read after 2 attempts: it answered 500; "
        f"run: tradewinds extract --run-date {DAY} --source community"
    )
    api.always = {}
    api.change("todos", lambda row: row | {"due": "soon"})
    output = bare_sandbox.succeed("extract", "--run-date", DAY, "--source", "community")
    assert "warning  todos was sent with fields that are no columns, and are in the kept answers only: due" in output


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("BASE_URL", "ftp://host", "http(s)://host[:port][/path] without a query"),
        ("BASE_URL", "https://host/?token=hunter2", "http(s)://host[:port][/path] without a query"),
        ("BASE_URL", "https://u:hunter2@host:port", "http(s)://host[:port][/path] without a query"),
        ("PAGE_SIZE", "0", "a whole number from 1 to 100000, found '0'"),
        ("PAGE_SIZE", "ten", "a whole number from 1 to 100000, found 'ten'"),
        ("MAX_ATTEMPTS", "1.5", "a whole number from 1 to 100, found '1.5'"),
        ("TIMEOUT_SECONDS", "0", "a number from 0.1 to 3600, found '0'"),
        ("API_KEY", "hunter2\nX-Admin: 1", "printable ASCII characters, without blanks around them"),
        ("API_KEY_HEADER", "X Key", "a header's name"),
    ],
)
def test_a_setting_that_cannot_be_read_is_a_wrong_request(
    extract: Extract, home: Home, monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv("SOURCES__COMMUNITY__API_KEY", "fine")
    monkeypatch.setenv(f"SOURCES__COMMUNITY__{name}", value)
    with pytest.raises(TradewindsError) as raised:
        extract()
    assert raised.value.exit_code == 2
    assert str(raised.value) == f"SOURCES__COMMUNITY__{name} can't be read: expected {expected}"
    assert Landing(home).started_run("community", DAY) is None
