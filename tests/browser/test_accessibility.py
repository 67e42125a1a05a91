"""Accessibility by axe-core: no violation on any page of ours, in both colour schemes, on a desk and on a phone."""

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Site, note_complaints

AXE = Path(find_spec("axe_playwright_python").origin).with_name("axe.min.js")
WIDTHS, SCHEMES = (1440, 390), ("light", "dark")
# Each kind of page once; the long form looks at every page of every suite.
KINDS = (
    "index.html",
    "runs.html",
    "dictionary.html",
    "lineage/index.html",
    "boards/*.html",
    "expectations/index.html",
    "expectations/suites/*-northwind.html",
    "expectations/suites/*-sales.html",
    "expectations/runs/*/northwind.html",
    "expectations/runs/*/sales.html",
)
VIOLATIONS = """async () => (await axe.run({ preload: false, resultTypes: ["violations"] })).violations
    .map(broken => [broken.id, broken.nodes[0].html, broken.nodes[0].failureSummary])"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without a network, on a screen that the test sets."""
    context, complaints = browser.new_context(offline=True), []
    opened = context.new_page()
    note_complaints(opened, complaints, ("file:", "data:", "blob:"))
    yield opened
    context.close()
    assert complaints == []


def _violations(page: Page) -> list[tuple]:
    """Return what axe finds on every screen and in both schemes."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = []
    for width, scheme in product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        found += [(width, scheme, *broken) for broken in page.evaluate(VIOLATIONS)]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(page: Page, sites: dict[str, Site], kind: str) -> None:
    paths = sorted(sites["duckdb"].pages.glob(kind))
    assert paths
    for path in paths:
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
        assert _violations(page) == [], path


def test_axe_does_find_what_is_wrong(page: Page, sites: dict[str, Site]) -> None:
    page.goto(sites["duckdb"].url("index.html"))
    page.evaluate("document.querySelector('h1').insertAdjacentHTML('afterend', '<button></button>')")
    assert {broken[2] for broken in _violations(page)} == {"button-name"}
