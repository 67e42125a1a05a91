"""Data Docs in a browser without a network: nothing is missing, and everything is styled."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site
from tests.python.spoils import TODAY


@pytest.fixture
def index(sites: dict[str, Site]) -> str:
    """The index of a good run of both stages, and of a check with findings."""
    return sites["duckdb"].url("expectations/index.html")


def _assert_readable(page: Page) -> None:
    """Assert that our style has been applied and that nothing sticks out sideways."""
    table = page.locator("table.stacked").first
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    head = "rgb(42, 44, 48)" if is_dark else "rgb(236, 239, 242)"
    assert table.evaluate("element => getComputedStyle(element).borderCollapse") == "collapse"
    assert table.locator("th").first.evaluate("element => getComputedStyle(element).backgroundColor") == head
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('15px \"Inter Variable\"'))")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_index_lists_the_runs(page: Page, index: str) -> None:
    page.goto(index)
    runs = page.locator("#runs tbody tr")
    assert runs.count() == 3
    assert runs.first.locator("td").first.inner_text() == f"{TODAY} arrivals"
    assert page.locator("#suites tbody tr").count() == 10
    _assert_readable(page)


def test_a_suite_shows_its_expectations(page: Page, index: str) -> None:
    page.goto(index)
    page.locator("#suites a", has_text="sales").click()
    assert page.locator("table.stacked tbody tr").count() > 15
    summary = page.locator("details summary").first
    summary.click()
    assert page.locator("details pre").first.is_visible()
    _assert_readable(page)


def test_a_run_shows_what_was_found(page: Page, index: str) -> None:
    page.goto(index)
    page.locator("#runs a", has_text="northwind").first.click()
    finding = page.locator("#orders_ship_to_countries")
    assert finding.locator(".examples tbody tr").count() == 20
    assert finding.locator(".badge", has_text="warning").count() == 1
    _assert_readable(page)
    page.locator(".path a").click()
    assert page.locator("#runs").is_visible()
