"""What the browser tests share: Debian's Chromium, a page without a network, and one site for each engine."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.settings import Home
from ingestion.warehouse import open_warehouse
from pipeline.checks import Stage, run_checks
from tests.python.sandbox import Sandbox, make_sandbox
from tests.python.spoils import SPOILS, TODAY

ENGINES = ("duckdb", "postgres")
# A desk and a phone; the schemes differ in nothing but colours, so each is looked at on one of them.
SCREENS = ((1440, "light"), (390, "dark"))
# Each engine's pages on a screen of their own; the long form of `make prove` has each on both.
VIEWS = tuple(product(ENGINES, SCREENS) if "TRADEWINDS_PROVE" in os.environ else zip(ENGINES, SCREENS, strict=True))
# A day whose extract fails, so that its load is refused.
REFUSED_DAY = "2021-01-09"


@dataclass(frozen=True)
class Site:
    """The pages of one engine, and the home and sources that they tell of."""

    pages: Path
    sandbox: Sandbox

    def url(self, page: str) -> str:
        return (self.pages / page).as_uri()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Site]]:
    """A good day, a refused one, and a check with a finding, as both engines tell of them."""
    folder = tmp_path_factory.mktemp("site")
    server = EmbeddedPostgres(folder / "server")
    with server.running():
        sandbox = make_sandbox(server, folder)
        sandbox.people.execute(
            "insert into rejected_rows (batch_id, table_name, source, row_number, payload, reasons) "
            "values (gen_random_uuid(), 'employees', 'employees.csv', 7, '7,,,,', array['name: missing'])"
        )
        sandbox.succeed("run", "--run-date", TODAY)
        _find_something(sandbox)
        _refuse_a_load(sandbox, folder / "wrong.csv")
        made = {}
        for engine in ENGINES:
            if engine != "duckdb":
                sandbox.succeed("run", "--run-date", TODAY, "--target", engine)
            sandbox.succeed("docs", "--target", engine)
            pages = shutil.copytree(sandbox.home / "reports", folder / engine)
            made[engine] = Site(pages, sandbox)
        yield made
    server.remove()


def _refuse_a_load(sandbox: Sandbox, wrong_file: Path) -> None:
    """Have a load refused after an extract that failed: a refusal alone leaves no row on a day."""
    wrong_file.write_text("some,other\ncolumns,1\n", encoding="utf-8")
    wrong = replace(sandbox, settings=sandbox.settings | {"SOURCES__ORDER_DETAILS__PATH": str(wrong_file)})
    wrong.fail(1, "extract", "--run-date", REFUSED_DAY, "--source", "order_details")
    sandbox.fail(3, "load", "--run-date", REFUSED_DAY)


def _find_something(sandbox: Sandbox) -> None:
    """Spoil a raw row and have it checked, as the arrivals of a bad day would be."""
    home = Home(sandbox.home)
    with duckdb.connect(str(home.warehouse / "tradewinds.duckdb")) as connection:
        connection.execute(SPOILS["orders_ship_to_countries"])
    run_checks(Stage.ARRIVALS, warehouse=open_warehouse("duckdb", home), home=home, run_date=TODAY, sources=None)


@dataclass(frozen=True)
class View:
    """One engine's pages, and the screen that they are looked at on: its width, and its colour scheme."""

    site: Site
    width: int
    scheme: str


@pytest.fixture(params=VIEWS, ids=lambda view: f"{view[0]}-{view[1][0]}-{view[1][1]}")
def view(request: pytest.FixtureRequest, sites: dict[str, Site]) -> View:
    """Each view in turn."""
    engine, screen = request.param
    return View(sites[engine], *screen)


@pytest.fixture
def site(view: View) -> Site:
    """The pages of the view."""
    return view.site


@pytest.fixture
def context(view: View, browser: Browser) -> Iterator[BrowserContext]:
    """A browser on the view's screen, without a network."""
    size = {"width": view.width, "height": 900}
    opened = browser.new_context(viewport=size, offline=True, color_scheme=view.scheme)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of a file; the test fails when it asks for anything else, or complains."""
    opened, complaints = context.new_page(), []
    note_complaints(opened, complaints, ("file:", "data:", "blob:"))
    yield opened
    assert complaints == []


def note_complaints(page: Page, complaints: list[str], allowed: tuple[str, ...]) -> None:
    """Note every request to elsewhere, every failed one, and every error on the console."""
    page.on("request", lambda asked: asked.url.startswith(allowed) or complaints.append(asked.url))
    page.on("requestfailed", lambda asked: complaints.append(f"failed: {asked.url}"))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
