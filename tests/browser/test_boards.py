"""Boards in a browser without a network: whole, readable on every screen, and with the numbers that SQL gives."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.boards.definition import Board, read_boards
from tests.python.conftest import Sandbox

TODAY = "2021-01-01"
WIDTHS = (1440, 390)
SCHEMES = ("light", "dark")
BOARDS = [board.name for board in read_boards()]

# Words as they are painted, each with its place; what is transparent is a place that the tool keeps for its own use.
WORDS = """() => [...document.querySelectorAll(".board text")]
    .filter(text => text.textContent.trim() && !text.closest("[opacity='0'], [fill-opacity='0']"))
    .map(text => [text.textContent.trim(), text.getBoundingClientRect().toJSON()])
    .filter(([, box]) => box.width > 0)"""
# What is drawn for a row: a bar, a point of a line, a cell.
MARKS = "[aria-roledescription=bar], [aria-roledescription=point], [aria-roledescription='rect mark']"
# The least contrast (WCAG 2) of words with the page behind them.
CONTRAST = """() => {
    const luminance = colour => {
        const [red, green, blue] = colour.match(/[\\d.]+/g).map(part => part / 255)
            .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const paper = luminance(getComputedStyle(document.body).backgroundColor);
    const words = ".board text:not(:has(tspan)), .board tspan, th, td, summary, nav a, label, footer";
    return Math.min(...[...document.querySelectorAll(words)]
        .filter(word => word.textContent.trim() && word.getClientRects().length)
        .map(word => getComputedStyle(word)[word.closest("svg") ? "fill" : "color"])
        .map(luminance)
        .map(ink => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)));
}"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A home with the boards of a published day of sample data."""
    sandbox = Sandbox(tmp_path_factory.mktemp("boards") / "home")
    sandbox.succeed("run", "--run-date", TODAY)
    sandbox.succeed("boards")
    return sandbox


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(
    params=[(width, scheme) for width in WIDTHS for scheme in SCHEMES], ids=lambda param: "-".join(map(str, param))
)
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page without a network; the test fails when it asks for one, or complains."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, color_scheme=scheme)
    opened, complaints = context.new_page(), []
    opened.on("request", lambda asked: asked.url.startswith(("file:", "data:")) or complaints.append(asked.url))
    opened.on("requestfailed", lambda asked: complaints.append(f"failed: {asked.url}"))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def _open(page: Page, home: Sandbox, board: str) -> None:
    page.goto((home.home / "reports" / "boards" / f"{board}.html").as_uri())
    page.evaluate("document.fonts.ready.then(() => true)")


def _overlaps(one: dict, other: dict) -> bool:
    """Say whether two words' boxes cover each other by more than the space around letters."""
    wide = min(one["right"], other["right"]) - max(one["left"], other["left"])
    high = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    return wide > 2 and high > 4


def _rows(page: Page, chart: str) -> list[list[str]]:
    """Return the shown view's figures of a chart as they are written."""
    rows = page.locator(f".view:not([hidden]) details[data-chart={chart}] tbody tr")
    return rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")


def _words(page: Page) -> list[str]:
    return [word for word, _ in page.evaluate(WORDS)]


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_is_readable(page: Page, home: Sandbox, board: str) -> None:
    _open(page, home, board)
    words = page.evaluate(WORDS)
    width = page.viewport_size["width"]
    assert [word for word, box in words if box["left"] < 0 or box["right"] > width] == []
    pairs = [(one, other) for at, one in enumerate(words) for other in words[at + 1 :]]
    assert [(one[0], other[0]) for one, other in pairs if _overlaps(one[1], other[1])] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("[...document.fonts].every(font => font.status === 'loaded')")
    assert page.evaluate(CONTRAST) >= 4.5


@pytest.mark.parametrize("board", read_boards(), ids=lambda board: board.name)
def test_no_chart_is_empty(page: Page, home: Sandbox, board: Board) -> None:
    _open(page, home, board.name)
    for name, chart in board.content["charts"].items():
        drawn = page.locator(f".board [id='chart-{name}']")
        if chart["type"] == "table":
            assert drawn.count() == 0
        elif chart["type"] == "kpi":
            assert drawn.text_content().strip()
        else:
            assert drawn.locator(MARKS).count() > 0, name


def test_people_of_each_year_are_those_that_sql_gives(page: Page, home: Sandbox) -> None:
    _open(page, home, "people")
    years = [
        str(year)
        for (year,) in home.published("select distinct hire_year from people.hires_by_quarter order by 1 desc")
    ]
    assert page.locator("#value option").all_inner_texts() == years
    (departments,) = home.published("select count(*) from people.dim_departments")[0]
    for year in years:
        page.select_option("#value", year)
        hires = home.published(f"select count(*) from people.fct_hires where year(hired_at) = {year}")[0][0]
        above = home.published(
            f"select department, hired from people.departments_above_mean where hire_year = {year} "
            "order by hired desc, department"
        )
        by_job = home.published(
            f"select * exclude hire_year from people.hires_by_quarter where hire_year = {year} order by department, job"
        )
        assert {f"{hires:,}", str(departments), f"{hires / departments:,.1f}"} <= set(_words(page))
        assert {department for department, _ in above} <= set(_words(page))
        assert [row[:2] for row in _rows(page, "above_mean")] == [[name, f"{hired:,}"] for name, hired in above]
        assert sorted(_rows(page, "by_job")) == sorted([name, job, *map(str, rest)] for name, job, *rest in by_job)
        quarters = sum(int(row[2].replace(",", "")) for row in _rows(page, "quarter_heat"))
        assert quarters == hires


def test_sales_are_those_that_sql_gives(page: Page, home: Sandbox) -> None:
    _open(page, home, "sales")
    months = home.published(
        "select date_trunc('month', ordered_date)::date::varchar, sum(net_amount_usd)::decimal(19, 2) "
        "from sales.fct_order_lines where ordered_date is not null group by 1 order by 1"
    )
    written = dict(_rows(page, "by_month"))
    assert {month: written[month] for month, _ in months} == {month: f"{amount:,}" for month, amount in months}
    (waiting,) = home.published("select count(*) from sales.fct_orders where shipped_date is null")[0]
    assert len(_rows(page, "not_shipped")) == waiting


def test_availability_is_what_sql_gives(page: Page, home: Sandbox) -> None:
    _open(page, home, "availability")
    days = home.published(
        "select date::varchar, active_professionals_count from marketplace.availability_snapshot order by 1"
    )
    assert _rows(page, "by_day") == [[day, f"{count:,}"] for day, count in days]
    fees = home.published(
        "select count(*), sum(lead_fee_eur) from marketplace.fct_events where event_type = 'proposed'"
    )
    assert {f"{fees[0][0]:,}", f"{fees[0][1]:,.0f}"} <= set(_words(page))


def test_the_pipeline_is_what_sql_gives(page: Page, home: Sandbox) -> None:
    _open(page, home, "pipeline")
    tables = home.published("select table_name, landed_count from ops.fct_reconciliation")
    written = sorted([row[2], row[5]] for row in _rows(page, "reconciliation"))
    assert written == sorted([name, f"{rows:,}"] for name, rows in tables)
    assert len(_rows(page, "steps")) == home.published("select count(*) from ops.fct_pipeline_steps")[0][0]


def test_a_mark_under_the_pointer_says_its_figures(page: Page, home: Sandbox) -> None:
    _open(page, home, "people")
    department, hired = home.published(
        "select department, hired from people.departments_above_mean order by hire_year desc, hired desc"
    )[0]
    bar = page.locator(".board [aria-roledescription=bar]").first
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    assert page.get_by_text("Mean").count() > 1
    assert department in page.locator("body").inner_text()
    assert str(hired) in page.locator("body").inner_text()
