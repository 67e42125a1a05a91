"""The site in a browser: every page loads whole, from its file and over HTTP, and says what the ledger says."""

import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import ENGINES, REFUSED_DAY, Site, note_complaints
from tests.browser.contrast import worst_contrast
from tests.python.spoils import TODAY

# Every page of the index, and words that stand on it once it is drawn.
PAGES = {
    "boards/availability.html": "Active professionals by day",
    "boards/people.html": "Departments above the mean",
    "boards/pipeline.html": "Freshness of the sources",
    "boards/sales.html": "Net sales by month",
    "dictionary.html": "sales.orders_with_details",
    "dbt/static_index.html": "How the data flows",
    "lineage/index.html": "Columns of orders_with_details",
    "expectations/index.html": "By Great Expectations",
    "runs.html": "Run history",
}
# This is drawn by another tool, for a wide screen.
FOREIGN = ("dbt/static_index.html",)


def test_every_page_of_the_index_loads_from_its_file(page: Page, site: Site) -> None:
    page.goto(site.url("index.html"))
    links = page.locator(".cards a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert sorted(links) == sorted(PAGES)
    assert page.locator(".missing").count() == 0
    assert f"run date {TODAY}, version {TODAY}-" in page.locator("#version").inner_text()
    pictures = page.locator(".cards img")
    pictures.last.scroll_into_view_if_needed()
    decoded = "pictures => Promise.all(pictures.map(picture => picture.decode().then(() => picture.naturalWidth > 0)))"
    assert pictures.evaluate_all(decoded) == [True] * 4
    for path, words in PAGES.items():
        page.goto(site.url(path))
        page.get_by_text(words).first.wait_for()
        assert page.get_by_role("link", name="Tradewinds").first.evaluate("link => link.href") == site.url("index.html")
        assert path in FOREIGN or page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_the_index_shows_the_day_and_each_board(page: Page, site: Site) -> None:
    page.goto(site.url("index.html"))
    days = page.locator(".health li > *").evaluate_all("days => days.map(day => day.title)")
    assert days[-1] == f"{REFUSED_DAY}: failed"  # its load was refused, its extract had failed before
    assert f"{TODAY}: done" in days
    manifests = [
        site.sandbox.manifest(path.name, TODAY) for path in (site.sandbox.home / "landing/_manifests").iterdir()
    ]
    rows = sum(table["rows"] for manifest in manifests for table in manifest["tables"].values())
    told = dict(zip(page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts(), strict=True))
    assert told["Rows read"] == f"{rows:,}"
    assert len(told) == 4
    orders = site.sandbox.northwind.query("select count(*) from orders")[0][0]
    page.locator(".cards a[href='boards/sales.html']").click()
    assert f"{orders:,}" in page.locator(".board [id='chart-orders']").text_content()


@pytest.mark.parametrize("path", ["index.html", "runs.html", "dictionary.html", "lineage/index.html"])
def test_words_stand_out_from_what_is_behind_them(page: Page, sites: dict[str, Site], path: str) -> None:
    page.goto(sites["duckdb"].url(path))
    assert worst_contrast(page) >= (4.5, "")


def test_the_history_is_that_of_the_ledger(page: Page, site: Site) -> None:
    page.goto(site.url("runs.html"))
    days = page.locator("details.day")
    assert [day.get_attribute("id") for day in days.all()] == [f"day-{REFUSED_DAY}", f"day-{TODAY}"]
    (refused,) = [row for row in _lines(page, REFUSED_DAY) if row["State"] == "refused"]
    assert refused["Command"] == f"tradewinds load --run-date {REFUSED_DAY}"
    assert "northwind" in refused["Error"]
    told = {(row["Step"], row["Of"]): row for row in _lines(page, TODAY)}
    entries = _entries(site.sandbox.home / "runs" / TODAY)
    # The first site was written before the other engine took the day on.
    engines = ("duckdb",) if site.pages.name == "duckdb" else ENGINES
    assert set(told) == {key for key in entries if key[0] == "extract" or key[1] in engines}
    for key, row in told.items():
        entry = entries[key]
        seconds = datetime.fromisoformat(entry["ended"]) - datetime.fromisoformat(entry["started"])
        assert row["State"] == entry["state"] == "done"
        assert row["Command"] == entry["command"]
        assert row["Rows"] == ("" if entry["rows"] is None else f"{entry['rows']:,}")
        assert row["Rejected"] == (f"{entry['rejected_rows']:,}" if "rejected_rows" in entry else "")
        assert row["Seconds"] == f"{seconds.total_seconds():,.1f}"


def _lines(page: Page, day: str) -> list[dict[str, str]]:
    rows = page.locator(f"#day-{day} tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => [cell.dataset.label, cell.textContent.trim()]))"
    )
    return [dict(row) for row in rows]


def _entries(folder: Path) -> dict[tuple[str, str], dict]:
    """Return a day's ledger as it lies on disk, by step and by source or engine."""
    entries = {}
    for path in folder.glob("*.json"):
        whole = json.loads(path.read_text())
        for part, entry in whole.get("sources", whole.get("targets", {})).items():
            entries[whole["step"].replace("_", " "), part] = entry
    return entries


def test_dbt_tells_the_marts_with_their_columns(page: Page, sites: dict[str, Site]) -> None:
    page.goto(sites["duckdb"].url("dbt/static_index.html") + "#!/model/model.tradewinds.fct_orders")
    page.get_by_text("One row per order").first.wait_for()
    page.get_by_text("is_overdue").first.wait_for(state="attached")


def test_lineage_follows_money_back_to_the_file(page: Page, site: Site) -> None:
    """From column to column as a reader clicks."""
    page.goto(site.url("lineage/index.html"))
    assert page.locator("#table").input_value() == "orders_with_details"
    assert page.locator(".box.chosen .title").inner_text() == "orders_with_details"
    page.select_option("#column", "net_amount_usd")
    drawn = set(page.locator("#graph a").evaluate_all("links => links.map(link => link.hash.slice(1))"))
    assert {f"northwind.order_details/{column}" for column in ("unit_price", "quantity", "discount")} <= drawn
    assert "orders_with_details/freight_usd" not in drawn
    assert page.locator("#graph path").count() > 5
    page.locator("#graph a", has_text="northwind.order_details").click()
    page.get_by_role("heading", name="Columns of northwind.order_details").wait_for()
    users = page.locator("#columns tr", has_text="unit_price").locator("td[data-label='Used for'] a").all_inner_texts()
    assert "stg_northwind__order_details.unit_price_usd" in users
    page.go_back()
    page.get_by_role("heading", name="Columns of orders_with_details").wait_for()


def test_the_site_is_served_without_a_word_to_others(browser: Browser, sites: dict[str, Site]) -> None:
    sandbox = sites["duckdb"].sandbox
    server = sandbox.start("serve", "--port", "0")
    try:
        url = re.search(r"http://\S+/", server.stdout.readline())[0]
        page, complaints = browser.new_context(viewport={"width": 390, "height": 900}).new_page(), []
        note_complaints(page, complaints, (url, "data:", "blob:"))
        for path, words in PAGES.items():
            page.goto(url)
            page.locator(f".cards a[href='{path}']").click()
            page.get_by_text(words).first.wait_for()
        page.context.close()
        assert complaints == []
    finally:
        server.terminate()
        output, errors = server.communicate(timeout=30)
    assert (server.returncode, output, errors) == (0, "", "")
