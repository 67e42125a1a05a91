"""Boards in a browser without a network: whole, readable on every screen, and with the numbers of the sources."""

import pytest
from playwright.sync_api import Page

from pipeline.boards.definition import Board, read_boards
from pipeline.ledger import STEPS
from tests.browser.conftest import Site
from tests.browser.contrast import worst_contrast
from tests.browser.expected import Sources, money

BOARDS = read_boards()

# Words as they are painted, each with its place; what is transparent is a place that the tool keeps for its own use.
WORDS = """() => [...document.querySelectorAll(".board text")]
    .filter(text => text.textContent.trim() && !text.closest("[opacity='0'], [fill-opacity='0']"))
    .map(text => [text.textContent.trim(), text.getBoundingClientRect().toJSON()])
    .filter(([, box]) => box.width > 0)"""
# What is drawn for a row: a bar, a point of a line, a cell.
MARKS = "[aria-roledescription=bar], [aria-roledescription=point], [aria-roledescription='rect mark']"
# Axes of numbers without a title that says in what they are counted.
UNITLESS = """() => [...document.querySelectorAll(".board [aria-roledescription=axis]")]
    .map(axis => axis.getAttribute("aria-label"))
    .filter(label => /linear scale/.test(label) && !/titled '/.test(label))"""


@pytest.fixture(scope="session")
def sources(sites: dict[str, Site]) -> Sources:
    """What both engines were fed with."""
    return Sources(sites["duckdb"].sandbox)


def _open(page: Page, site: Site, board: str) -> None:
    page.goto(site.url(f"boards/{board}.html"))
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


def _assert_readable(page: Page) -> None:
    words = page.evaluate(WORDS)
    width = page.viewport_size["width"]
    assert [word for word, box in words if box["left"] < 0 or box["right"] > width] == []
    assert [word for word, _ in words if "…" in word] == []
    pairs = [(one, other) for at, one in enumerate(words) for other in words[at + 1 :]]
    assert [(one[0], other[0]) for one, other in pairs if _overlaps(one[1], other[1])] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    scrolled = "[...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth).length"
    assert width > 390 or page.evaluate(scrolled) == 0
    assert worst_contrast(page) >= (4.5, "")
    assert page.evaluate(UNITLESS) == []


def _words(page: Page) -> set[str]:
    return {word for word, _ in page.evaluate(WORDS)}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_a_board_is_readable(page: Page, site: Site, board: Board) -> None:
    _open(page, site, board.name)
    for value in page.locator("#value option").all_inner_texts() or [None]:
        if value:
            page.select_option("#value", value)
        _assert_readable(page)
    assert page.evaluate("[...document.fonts].every(font => font.status === 'loaded')")
    for name, chart in board.content["charts"].items():
        drawn = page.locator(f".board [id='chart-{name}']")
        if chart["type"] == "table":
            assert drawn.count() == 0
        elif chart["type"] == "kpi":
            assert drawn.text_content().strip()
        else:
            assert drawn.locator(MARKS).count() > 0, name


def test_people_of_each_year_are_those_of_the_source(page: Page, site: Site, sources: Sources) -> None:
    _open(page, site, "people")
    years = [str(year) for (year,) in sources.rows("select distinct year(hired) from hires order by 1 desc")]
    assert page.locator("#value option").all_inner_texts() == years
    departments = sources.value("select count(*) from departments")
    for year in years:
        page.select_option("#value", year)
        hired = sources.rows(
            f"select department, count(*) from hires where year(hired) = {year} group by 1 order by 2 desc, 1"
        )
        hires = sum(count for _, count in hired)
        above = [[name, f"{count:,}"] for name, count in hired if count * departments > hires]
        assert {f"{hires:,}", str(departments), f"{hires / departments:,.1f}"} <= _words(page)
        assert {name for name, _ in above} <= _words(page)
        shown = _rows(page, "above_mean")
        assert [row[:2] for row in shown] == [*above, ["Mean", ""]]
        assert {row[2] for row in shown} == {f"{hires / departments:,.2f}"}
        by_job = sources.rows(
            "select department, job, count(*) filter (quarter(hired) = 1), count(*) filter (quarter(hired) = 2), "
            "count(*) filter (quarter(hired) = 3), count(*) filter (quarter(hired) = 4) "
            f"from hires where year(hired) = {year} group by 1, 2"
        )
        assert sorted(_rows(page, "by_job")) == sorted([name, job, *map(str, rest)] for name, job, *rest in by_job)
        assert sum(int(row[2].replace(",", "")) for row in _rows(page, "quarter_heat")) == hires


def test_a_cell_is_shaded_by_its_hires(page: Page, site: Site) -> None:
    _open(page, site, "people")
    cells = page.locator(".view:not([hidden]) td.shaded").evaluate_all(
        "cells => cells.map(cell => [Number(cell.textContent), parseFloat(cell.style.getPropertyValue('--share')), "
        "getComputedStyle(cell).backgroundColor])"
    )
    largest = max(hires for hires, _, _ in cells)
    assert all(share == pytest.approx(45 * hires / largest, abs=0.06) for hires, share, _ in cells)
    assert len({colour for _, _, colour in cells}) == len({hires for hires, _, _ in cells})


def test_sales_are_those_of_the_sources(page: Page, site: Site, sources: Sources) -> None:
    _open(page, site, "sales")
    months = dict(
        sources.rows(
            "select date_trunc('month', ordered)::date::varchar, sum(net) "
            "from orders join lines using (order_id) group by 1 order by 1"
        )
    )
    # The sample's last order is older than the end of its month.
    *finished, last = months
    assert sources.value("select max(ordered) < last_day(max(ordered)) from orders")
    before = {month: f"{int(month[:4]) - 1}{month[4:]}" for month in months}
    assert _rows(page, "by_month") == [
        [
            month,
            money(net) if month in finished else "",
            money(net) if month == last else "",
            money(months[before[month]]) if before[month] in months else "",
        ]
        for month, net in months.items()
    ]
    page.select_option("#value", last[:4])
    assert [row[0] for row in _rows(page, "by_month")] == [month for month in months if month[:4] == last[:4]]
    delivered = {row[1] for row in _rows(page, "delivery_by_month") if row[0] == last}
    assert delivered == {"Month not over"}
    ((net, net_before),) = sources.rows(
        "select sum(net) filter (year(ordered) = year(last)), "
        "sum(net) filter (year(ordered) = year(last) - 1 and ordered <= last - interval 1 year) "
        "from orders join lines using (order_id) cross join (select max(ordered) as last from orders)"
    )
    told = page.locator(".board [id='chart-net_sales']").text_content()
    assert f"{net:,.0f}" in told
    assert f"{net - net_before:+,.0f}".replace("-", "−") in told
    page.select_option("#value", "All years")
    assert "before" not in page.locator(".board [id='chart-net_sales']").text_content()
    for chart, name in (("by_customer", "customer"), ("by_product", "product"), ("by_country", "country")):
        best = sources.rows(
            f"select {name}, sum(net) from lines join orders using (order_id) left join products using (product_id) "
            "group by 1 order by 2 desc, 1 limit 10"
        )
        assert [row[1] for row in _rows(page, chart)] == [money(net) for _, net in best]
    waiting = sources.rows("select order_id from orders where shipped is null order by required, order_id")
    assert [row[0] for row in _rows(page, "not_shipped")] == [str(order) for (order,) in waiting]
    late = sources.rows(
        "select order_id, shipped - required from orders where shipped > required order by 2 desc, order_id"
    )
    assert [[row[0], row[4]] for row in _rows(page, "late")] == [[str(order), str(days)] for order, days in late]


def test_the_last_day_is_held_against_the_day_before(page: Page, site: Site, sources: Sources) -> None:
    _open(page, site, "sales")
    ((last, orders, net, orders_before, net_before),) = sources.rows(
        "select last, count(distinct order_id) filter (ordered = last), sum(net) filter (ordered = last), "
        "count(distinct order_id) filter (ordered = last - 1), coalesce(sum(net) filter (ordered = last - 1), 0) "
        "from (select max(ordered) as last from orders) join orders on true left join lines using (order_id) group by 1"
    )
    charts = ("last_day", "day_orders", "day_net_sales")
    told = {name: page.locator(f".board [id='chart-{name}']").text_content() for name in charts}
    assert f"{last.day} {last:%b %Y}" in told["last_day"]
    for name, now, before in (("day_orders", orders, orders_before), ("day_net_sales", net, net_before)):
        assert f"{now:,.0f}" in told[name]
        assert f"{now - before:+,.0f}".replace("-", "−") in told[name]


def test_availability_is_that_of_the_log(page: Page, site: Site, sources: Sources) -> None:
    _open(page, site, "availability")
    days = sources.rows(
        """
        with changes as (
            select professional_id_anonymized as who, created_at::timestamp as moment, event_id::bigint as id,
                event_type = 'became_able_to_propose' as is_able
            from events where event_type in ('became_able_to_propose', 'became_unable_to_propose')
        ),
        days as (
            select unnest(range(first_day, last_day, interval 1 day))::date as day
            from (select min(created_at::timestamp)::date, max(created_at::timestamp)::date from events)
                as ends (first_day, last_day)
        ),
        last_changes as (
            select day, who, arg_max(is_able, (moment, id)) as is_able
            from days join changes on changes.moment < day + interval 1 day group by day, who
        )
        select days.day::varchar, count(*) filter (is_able)
        from days left join last_changes using (day) group by 1 order by 1
        """
    )
    assert _rows(page, "by_day") == [[day, f"{count:,}"] for day, count in days]
    services = sources.rows(
        "select split_part(meta_data, '_', 3), count(*), sum(split_part(meta_data, '_', 4)::decimal(19, 2)) "
        "from events where event_type = 'proposed' group by 1 order by 2 desc, 1"
    )
    written = [[name, f"{count:,}", money(fees)] for name, count, fees in services]
    assert [row[:3] for row in _rows(page, "by_service")] == written
    assert {f"{sum(count for _, count, _ in services):,}", f"{sum(fees for *_, fees in services):,.0f}"} <= _words(page)


def test_the_pipeline_is_that_of_landing(page: Page, site: Site) -> None:
    _open(page, site, "pipeline")
    manifests = [
        site.sandbox.manifest(path.name, path_day)
        for path in (site.sandbox.home / "landing" / "_manifests").iterdir()
        for path_day in [next(path.glob("*.json")).stem]
    ]
    tables = [(manifest["source"], name, table) for manifest in manifests for name, table in manifest["tables"].items()]
    written = sorted([row[1], row[2], row[5]] for row in _rows(page, "reconciliation"))
    assert written == sorted([source, name, f"{table['rows']:,}"] for source, name, table in tables)
    assert {row[10] for row in _rows(page, "reconciliation")} == {"yes"}
    by_day = _rows(page, "rows_by_day")
    assert len({row[0] for row in by_day}) == 14
    landed = {row[1]: row[2] for row in by_day if row[2]}
    assert landed == {
        manifest["source"]: f"{sum(table['rows'] for table in manifest['tables'].values()):,}" for manifest in manifests
    }
    assert [row[:3] for row in _rows(page, "freshness")] == [
        [source, manifests[0]["run_date"], "0"] for source in sorted(manifest["source"] for manifest in manifests)
    ]
    steps = _rows(page, "steps")
    assert sorted(row[2] for row in steps if row[1] == "extract") == sorted(landed)
    # The day's own publish, too.
    own = [row[1:5] for row in steps if row[1] != "extract" and row[3] == site.pages.name]
    assert own == [[step, "", site.pages.name, "done"] for step in STEPS if step != "extract"]
    (rejects,) = [row[2] for row in _rows(page, "rejects_by_day") if row[1] == "people" and row[2]]
    assert int(rejects) == site.sandbox.people.query("select count(*) from rejected_rows")[0][0]


def test_a_mark_under_the_pointer_says_its_figures(page: Page, site: Site) -> None:
    _open(page, site, "people")
    department, hired = _rows(page, "above_mean")[0][:2]
    bar = page.locator(".board [aria-roledescription=bar]").first
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    assert page.get_by_text("Mean").count() > 1
    assert department in page.locator("body").inner_text()
    assert hired in page.locator("body").inner_text()


def test_a_table_shows_twenty_rows_sorts_filters_and_downloads(page: Page, site: Site, sources: Sources) -> None:
    _open(page, site, "sales")
    details = page.locator(".view:not([hidden]) details[data-chart=late]")
    late = sources.rows("select order_id, shipped - required from orders where shipped > required order by 2 desc, 1")
    visible = details.locator("tbody tr:visible")
    assert (visible.count(), len(late)) == (20, details.locator("tbody tr").count())
    assert details.get_by_text(f"20 of {len(late)} rows").is_visible()
    with page.expect_download() as saved:
        details.get_by_role("button", name="Download CSV").click()
    assert saved.value.suggested_filename == "late.csv"
    header, *lines = saved.value.path().read_text(encoding="utf-8").splitlines()
    assert header == "order_id,customer,required_date,shipped_date,days_late,net_amount_usd"
    assert [line.split(",")[0] for line in lines] == [str(order) for order, _ in late]
    details.get_by_role("searchbox").fill(str(late[-1][0]))
    assert visible.locator("td").first.inner_text() == str(late[-1][0])
    details.get_by_role("searchbox").fill("")
    details.get_by_role("button", name=f"Show all {len(late)}").click()
    assert visible.count() == len(late)
    if page.viewport_size["width"] > 600:
        details.get_by_role("button", name="Order ID").click()
    else:  # a phone stacks the cells, without a head
        details.get_by_label("Sort by").select_option("Order ID ▾")
    orders = visible.locator("td:first-child").all_inner_texts()
    assert orders == sorted((str(order) for order, _ in late), key=int, reverse=True)
    assert details.locator("th[aria-sort=descending]").text_content() == "Order ID"


def test_a_table_shows_one_category_of_one_year(page: Page, site: Site, sources: Sources) -> None:
    _open(page, site, "sales")
    page.select_option("#value", "1997")
    details = page.locator(".view:not([hidden]) details[data-chart=by_category]")
    (category,) = sources.rows("select min(category) from products")[0]
    details.get_by_label("Category", exact=True).select_option(category)
    sold = sources.rows(
        "select product, sum(net) from lines join orders using (order_id) join products using (product_id) "
        f"where category = '{category}' and year(ordered) = 1997 group by 1 order by 2 desc, 1"
    )
    shown = [
        row.split("\t")
        for row in details.locator("tbody tr:visible").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.textContent).join('\\t'))"
        )
    ]
    assert [[row[1], row[4]] for row in shown] == [[product, money(net)] for product, net in sold]
    assert details.get_by_text(f"{len(sold)} of {len(sold)} rows").is_visible()
