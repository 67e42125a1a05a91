"""The site's own pages and its server: clear errors, and nothing served that isn't a page."""

import http.client
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ingestion.errors import Refused, StepFailed
from ingestion.settings import Home
from pipeline.ledger import Ledger
from pipeline.run.request import Request
from pipeline.site.history import read_days, write_history
from pipeline.site.pages import seal_page
from tests.python.sandbox import Sandbox

DAY, NEXT_DAY = "2021-01-01", "2021-01-02"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home in which one day went well but for its build, and the next was refused its load."""
    home = Home(tmp_path / "home")
    ledger = Ledger(home)
    for source, rows in (("northwind", 1207), ("people", 2194)):
        with ledger.recording(DAY, "extract", f"tradewinds extract --run-date {DAY}", "duckdb", source) as record:
            record.rows, record.details["rejected_rows"] = rows, 3
    with suppress(StepFailed), ledger.recording(DAY, "build", f"tradewinds build --run-date {DAY}", "duckdb") as record:
        raise StepFailed("model <fct_orders> failed")
    with ledger.recording(NEXT_DAY, "extract", f"tradewinds extract --run-date {NEXT_DAY}", "duckdb", "people"):
        pass
    with suppress(Refused), ledger.recording(NEXT_DAY, "load", f"tradewinds load --run-date {NEXT_DAY}", "postgres"):
        raise Refused("northwind hasn't landed")
    return home


@pytest.mark.unit
def test_the_history_has_every_day_and_step(home: Home) -> None:
    latest, first = read_days(Ledger(home))
    assert (latest.run_date, latest.state, first.run_date, first.state) == (NEXT_DAY, "refused", DAY, "failed")
    assert first.steps == {
        "extract": "done",
        "load": "not run",
        "check_arrivals": "not run",
        "build": "failed",
        "check_marts": "not run",
        "publish": "not run",
    }
    assert (first.total("rows"), first.total("rejected")) == (3401, 6)
    (load,) = [line for line in latest.lines if line.step == "load"]
    assert (load.part, load.error) == ("postgres", "northwind hasn't landed")
    (check,) = [line for line in latest.lines if line.step == "check_arrivals"]
    assert check.command == f"tradewinds check --run-date {NEXT_DAY} --stage arrivals"


@pytest.mark.unit
def test_what_a_step_says_is_text_on_the_page(home: Home) -> None:
    write_history(Request(home))
    page = (home.root / "reports" / "runs.html").read_text()
    assert "model &lt;fct_orders&gt; failed" in page
    assert f"<code>tradewinds build --run-date {DAY}</code>" in page


@pytest.mark.e2e
def test_an_empty_home_has_an_index_that_says_what_to_type(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "home")
    output = sandbox.succeed("docs")
    assert "boards: nothing is published yet; run: tradewinds run" in output
    page = (sandbox.home / "reports" / "index.html").read_text()
    missing = re.findall(
        r'<strong>([^<]+)</strong>\s*<p class="missing">Not there: ([^<]+)\. Run: <code>([^<]+)<', page
    )
    assert missing == [
        ("Availability", "nothing is published yet", "tradewinds run"),
        ("People", "nothing is published yet", "tradewinds run"),
        ("Pipeline", "nothing is published yet", "tradewinds run"),
        ("Sales", "nothing is published yet", "tradewinds run"),
        ("Models and columns", "nothing is built yet", "tradewinds run"),
        ("Column lineage", "nothing is built yet", "tradewinds run"),
        ("Checks", "nothing has been checked yet", "tradewinds run"),
    ]
    assert re.findall(r'<a href="([^"]+)"', page) == ["runs.html"]
    assert "Nothing has run yet" in (sandbox.home / "reports" / "runs.html").read_text()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of pages, beside what must not be read through it."""
    root = tmp_path / "reports"
    for name in ("index.html", "boards/sales.html", "expectations/index.html", "expectations/style.css", ".draft.html"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "dbt").mkdir()
    (root / "dbt" / "manifest.json").write_text("{}")
    (tmp_path / "secret.html").write_text("secret")
    (root / "away.html").symlink_to(tmp_path / "secret.html")
    return root.resolve()


@pytest.mark.unit
def test_a_sealed_page_may_ask_nobody() -> None:
    sealed = seal_page("<html><head><title>x</title></head></html>")
    policy = re.search(r'<head><meta http-equiv="Content-Security-Policy" content="([^"]+)">', sealed)[1]
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "eval" not in policy


@pytest.fixture
def served(root: Path) -> Iterator[tuple[Sandbox, int]]:
    """The pages served by the real command; it ends well when it is told to."""
    sandbox = Sandbox(root.parent)
    process = sandbox.start("serve", "--port", "0")
    port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())[1])
    yield sandbox, port
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, "", "")


def _ask(port: int, method: str, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


# What is asked for, and the page that is the answer.
_ASKED = {
    "/": "index.html",
    "/boards/sales.html?year=2021": "boards/sales.html",
    "/boards/../index.html": "index.html",
    "/expectations/": "expectations/index.html",
    "/expectations/style.css": "expectations/style.css",
    "/boards": None,
    "/boards/": None,
    "/../secret.html": None,
    "/%2e%2e/secret.html": None,
    "/boards/%2e%2e/%2e%2e/secret.html": None,
    "//../secret.html": None,
    "/..%5csecret.html": None,
    "/away.html": None,
    "/index.html%00.css": None,
    "/dbt/manifest.json": None,
    "/.draft.html": None,
    "http://elsewhere/../secret.html": None,
}


@pytest.mark.e2e
def test_only_pages_of_the_folder_are_found(served: tuple[Sandbox, int]) -> None:
    answers = {requested: _ask(served[1], "GET", requested) for requested in _ASKED}
    found = {requested: body.decode() if status == 200 else None for requested, (status, _, body) in answers.items()}
    assert found == _ASKED
    assert {status for status, _, _ in answers.values()} == {200, 404}


@pytest.mark.e2e
def test_the_server_gives_pages_and_nothing_else(served: tuple[Sandbox, int]) -> None:
    sandbox, port = served
    status, headers, body = _ask(port, "GET", "/boards/sales.html")
    assert (status, body) == (200, b"boards/sales.html")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert headers["Server"].strip() == "tradewinds"
    assert _ask(port, "HEAD", "/boards/sales.html")[::2] == (200, b"")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert _ask(port, method, "/")[0] == 405
    for path in ("/../secret.html", "/dbt/manifest.json", "/boards/"):
        status, _, body = _ask(port, "GET", path)
        assert status == 404
        assert b"secret" not in body
    line = sandbox.fail(1, "serve", "--port", str(port))
    assert line == f"tradewinds: port {port} is in use on 127.0.0.1; run: tradewinds serve --port 0"


@pytest.mark.e2e
def test_there_must_be_something_to_serve(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "home")
    assert sandbox.fail(3, "serve") == "tradewinds: there are no pages to serve yet; run: tradewinds docs"
    (sandbox.home / "reports").mkdir(parents=True)
    (sandbox.home / "reports" / "index.html").write_text("")
    assert "can't listen on no.such.host.invalid" in sandbox.fail(2, "serve", "--host", "no.such.host.invalid")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} is in use" in sandbox.fail(1, "serve", "--port", str(port))
