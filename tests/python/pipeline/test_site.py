"""The site's own pages and its server: clear errors, and nothing served that isn't a page."""

import http.client
import json
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import copytree, rmtree

import httpx
import pytest

from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.settings import Home
from pipeline.dbt.lineage import Table, tables_of
from pipeline.dbt.project import published_marts
from pipeline.ledger import Ledger
from pipeline.run.request import Request
from pipeline.site import refresh_site
from pipeline.site.dictionary import write_dictionary
from pipeline.site.documentation import adopt_page
from pipeline.site.history import read_days, write_history
from pipeline.site.index import write_index
from pipeline.site.lineage import read_tables, trace, write_lineage
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
    assert (first.total("rows"), first.total("rejected_rows")) == (3401, 6)
    (load,) = [line for line in latest.lines if line["step"] == "load"]
    assert (load["part"], load["error"]) == ("postgres", "northwind hasn't landed")
    (check,) = [line for line in latest.lines if line["step"] == "check_arrivals"]
    assert check["command"] == f"tradewinds check --run-date {NEXT_DAY} --stage arrivals"


@pytest.mark.unit
def test_what_a_step_says_is_text_on_the_page(home: Home) -> None:
    write_history(Request(home))
    page = (home.root / "reports" / "runs.html").read_text()
    assert "model &lt;fct_orders&gt; failed" in page
    assert f"<code>tradewinds build --run-date {DAY}</code>" in page


@pytest.mark.unit
def test_the_dictionary_has_every_column_of_every_mart(tmp_path: Path) -> None:
    reads = {
        "northwind.orders": [],
        "stg_northwind__orders": ["northwind.orders"],
        "fct_orders": ["stg_northwind__orders"],
    }
    tables = [Table(name, "source" if "." in name else "model", "", read, {}) for name, read in reads.items()]
    node = "model.tradewinds.fct_orders"
    write_dictionary(tmp_path, {"nodes": {node: {"columns": {"order_id": {"type": "BIGINT"}}}}}, tables)
    page = (tmp_path / "dictionary.html").read_text()
    sections = dict(re.findall(r'<h2 id="([\w.]+)">.*?</h2>(.*?)</table>', page, re.DOTALL))
    columns = {name: re.findall(r"<code>(\w+)</code>", section) for name, section in sections.items()}
    assert columns == {mart.relation: [column.name for column in mart.columns] for mart in published_marts()}
    assert set(re.findall(r'href="#([^"]+)"', page)) == set(sections)
    orders = sections["sales.fct_orders"]
    assert "Key: order_id." in orders
    assert "Made from: northwind.orders." in orders
    assert f'href="dbt/static_index.html#!/model/{node}"' in orders
    rows = [re.sub(r"(?:\s*<[^>]+>\s*)+", "|", row) for row in re.findall(r"<tr>\n(<td.*?)</tr>", orders, re.DOTALL)]
    assert rows[0] == "|order_id|bigint|never|key|Number of the order in Northwind.|"
    assert rows[1].startswith("|customer_id|possible|key of|sales.dim_customers|")


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
        ("Data dictionary", "nothing is built yet", "tradewinds run"),
        ("Models and columns", "nothing is built yet", "tradewinds run"),
        ("Column lineage", "nothing is built yet", "tradewinds run"),
        ("Checks", "nothing has been checked yet", "tradewinds run"),
    ]
    assert re.findall(r'<a href="(?!index)([^"]+)"', page) == ["runs.html"]
    assert "Nothing has run yet" in (sandbox.home / "reports" / "runs.html").read_text()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of pages, beside what must not be read through it."""
    root = tmp_path / "reports"
    for name in (
        "index.html",
        "boards/sales.html",
        "boards/sales.svg",
        "expectations/index.html",
        "style.css",
        ".draft.html",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "dbt").mkdir()
    (root / "dbt" / "manifest.json").write_text("{}")
    (tmp_path / "secret.html").write_text("secret")
    (root / "away.html").symlink_to(tmp_path / "secret.html")
    return root.resolve()


@pytest.mark.unit
def test_a_foreign_page_may_ask_nobody_and_leads_home() -> None:
    page = adopt_page('<html><head><title>x</title></head><body class="a">words</body></html>')
    policy = re.search(r'<head><meta http-equiv="Content-Security-Policy" content="([^"]+)">', page)[1]
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert re.search(r'<body class="a"><a href="\.\./index\.html"[^>]*>[^<]*Tradewinds</a>words', page)


def _index(home: Home) -> str:
    return write_index(Request(home)).read_text(encoding="utf-8")


@pytest.mark.unit
def test_the_index_shows_the_last_fourteen_days(home: Home) -> None:
    page = _index(home)
    days = re.findall(r'title="([\d-]+): ([^"]+)"', page)
    assert len(days) == 14
    assert days[0] == ("2020-12-20", "no run")
    assert days[-2:] == [(DAY, "failed"), (NEXT_DAY, "refused")]
    assert "Nothing is published yet" in page
    assert 'class="figures"' not in page


@pytest.mark.e2e
def test_the_index_tells_what_is_published_and_that_the_boards_are_older(shared_built: Sandbox, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    copytree(shared_built.home / "published", home.root / "published")
    copytree(shared_built.home / "runs", home.root / "runs")
    (day,) = Ledger(home).days()
    entry = Ledger(home).read(day, "publish", "duckdb")
    assert entry["version"] in (shared_built.home / "reports" / "index.html").read_text()  # written by the run itself
    page = _index(home)
    time = entry["last_success"][:16].replace("T", " ")
    assert f"run date {day}, version {entry['version']}, on {time} UTC." in page
    figures = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page))
    manifests = [json.loads(path.read_text()) for path in shared_built.home.glob(f"landing/_manifests/*/{day}.json")]
    assert figures["Rows read"] == f"{sum(table['rows'] for each in manifests for table in each['tables'].values()):,}"
    assert figures["Rows published"] == f"{sum(entry['marts'].values()):,}"
    assert 'id="older"' not in page
    drawn = home.root / "reports" / "boards" / "drawn.json"
    drawn.parent.mkdir()
    drawn.write_text(json.dumps({"version": entry["version"], "figures": {}}))
    assert 'id="older"' not in _index(home)
    drawn.write_text(json.dumps({"version": "2020-12-31-0123456789ab", "figures": {}}))
    older = re.search(r'id="older">([^<]+)<code>([^<]+)', _index(home))
    assert older.groups() == (
        "The boards show version 2020-12-31-0123456789ab, not the published one. Run: ",
        "tradewinds docs",
    )


@pytest.mark.unit
def test_an_index_that_cannot_be_written_is_only_told(home: Home, capsys: pytest.CaptureFixture) -> None:
    refresh_site(Request(home))
    assert (home.root / "reports" / "runs.html").is_file()
    rmtree(home.root / "reports")
    (home.root / "reports").write_text("in the way")
    refresh_site(Request(home))
    assert "docs     the index couldn't be written: " in capsys.readouterr().out


@pytest.mark.unit
def test_an_edge_of_the_lineage_is_a_column_or_a_whole_table(tmp_path: Path) -> None:
    def node(kind: str, name: str, *columns: str) -> dict:
        told = {"nodeType": kind, "name": name.split(".")[-1], "fullName": f"{kind}.p.{name}"}
        return told | {"columns": {column: {} for column in columns}}

    nodes = {
        "s": node("source", "shop.orders", "id", "price"),
        "m": node("model", "sales", "id", "price_usd"),
        "e": node("exposure", "board"),
    }
    edges = [
        {"source": source, "sourceColumn": one, "target": target, "targetColumn": other}
        for source, one, target, other in (("s", "price", "m", "price_usd"), ("s", "id", "m", ""), ("m", "", "e", ""))
    ]
    board, sales, orders = sorted(tables_of(nodes, edges), key=lambda table: table.kind)
    assert (orders.name, orders.reads, orders.columns) == ("shop.orders", [], {"id": [], "price": []})
    assert (sales.reads, sales.columns) == (["shop.orders"], {"id": [], "price_usd": [("shop.orders", "price")]})
    assert (board.reads, board.columns) == (["sales"], {})
    write_lineage(tmp_path, [board, sales, orders])
    page = (tmp_path / "lineage" / "index.html").read_text(encoding="utf-8")
    assert "<option selected>sales</option>" in page  # no answer here, so the first model


@pytest.mark.unit
def test_the_lineage_is_followed_down_to_the_sources(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="isn't written yet"):
        read_tables(Home(tmp_path))
    made = {
        "shop.orders": Table("shop.orders", "source", "", [], {"price": [], "rate": []}),
        "stg_orders": Table("stg_orders", "model", "", ["shop.orders"], {"price": [("shop.orders", "price")]}),
        "sales": Table(
            "sales", "model", "", ["stg_orders", "shop.orders"],
            {"usd": [("stg_orders", "price"), ("shop.orders", "rate")], "one": []},
        ),
    }  # fmt: skip
    write_lineage(tmp_path / "reports", list(made.values()))
    tables = read_tables(Home(tmp_path))
    assert trace(tables, "stg_orders") == {
        "table": "stg_orders",
        "kind": "model",
        "reads": ["shop.orders"],
        "read_by": ["sales"],
        "columns": {"price": ["shop.orders.price"]},
    }
    assert trace(tables, "sales", "usd")["made_of"] == {
        "sales.usd": ["stg_orders.price", "shop.orders.rate"],
        "stg_orders.price": ["shop.orders.price"],
        "shop.orders.price": [],
        "shop.orders.rate": [],
    }
    for name, column, reason in (("nope", None, "no table nope"), ("sales", "nope", "no column nope")):
        with pytest.raises(BadRequest, match=reason):
            trace(tables, name, column)


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
    "/style.css": "style.css",
    "/boards/sales.svg": "boards/sales.svg",
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
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        seconds = [client.get("/").elapsed.total_seconds() for _ in range(40)]
    assert sorted(seconds)[10] < 0.03, "no answer on an open connection is held back"
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
