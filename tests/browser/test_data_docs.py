"""Data Docs in a browser without a network: nothing is missing, and everything is styled."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from ingestion.settings import Home
from ingestion.warehouse import open_warehouse
from pipeline.checks import Stage, run_checks
from tests.python.conftest import Sandbox
from tests.python.spoils import SPOILS, TODAY

WIDTHS = (1440, 390)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of a good run of both stages, and of one with findings."""
    sandbox = Sandbox(tmp_path_factory.mktemp("docs") / "home")
    for step in ("extract", "load", "build"):
        sandbox.succeed(step, "--run-date", TODAY)
    home = Home(sandbox.home)
    warehouse = open_warehouse("duckdb", home)
    for stage in Stage:
        run_checks(stage, warehouse=warehouse, home=home, run_date=TODAY, sources=None)
    with duckdb.connect(str(home.warehouse / "tradewinds.duckdb")) as connection:
        connection.execute(SPOILS["orders_ship_to_countries"])
    run_checks(Stage.ARRIVALS, warehouse=warehouse, home=home, run_date=TODAY, sources=None)
    return home.root / "reports" / "expectations" / "index.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(params=WIDTHS)
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page without a network; the test fails when it asks for one, or complains."""
    context = browser.new_context(viewport={"width": request.param, "height": 900}, offline=True)
    opened, complaints = context.new_page(), []
    opened.on("request", lambda asked: asked.url.startswith(("file:", "data:")) or complaints.append(asked.url))
    opened.on("requestfailed", lambda asked: complaints.append(f"failed: {asked.url}"))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def _assert_readable(page: Page) -> None:
    """Assert that our style has been applied and that nothing sticks out sideways."""
    table = page.locator("table.stacked").first
    assert table.evaluate("element => getComputedStyle(element).borderTopStyle") == "solid"
    assert table.evaluate("element => getComputedStyle(element).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_index_lists_the_runs(page: Page, index: Path) -> None:
    page.goto(index.as_uri())
    runs = page.locator("#runs tbody tr")
    assert runs.count() == 14
    assert runs.first.locator("td").first.inner_text() == f"{TODAY} arrivals"
    assert page.locator("#suites tbody tr").count() == 7
    _assert_readable(page)


def test_a_suite_shows_its_expectations(page: Page, index: Path) -> None:
    page.goto(index.as_uri())
    page.locator("#suites a", has_text="sales").click()
    assert page.locator("table.stacked tbody tr").count() > 20
    summary = page.locator("details summary").first
    summary.click()
    assert page.locator("details pre").first.is_visible()
    _assert_readable(page)


def test_a_run_shows_what_was_found(page: Page, index: Path) -> None:
    page.goto(index.as_uri())
    page.locator("#runs a", has_text="northwind").first.click()
    finding = page.locator("#orders_ship_to_countries")
    assert finding.locator(".examples tbody tr").count() == 20
    assert finding.evaluate("element => getComputedStyle(element).borderLeftColor") == "rgb(168, 100, 0)"
    _assert_readable(page)
    page.locator(".path a").click()
    assert page.locator("#runs").is_visible()
