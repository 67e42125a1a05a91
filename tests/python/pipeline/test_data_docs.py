"""Data Docs are self-contained: no dead link, no request to another host."""

import re
from pathlib import Path

import pytest

from ingestion.settings import Home
from pipeline.checks import Stage
from pipeline.checks.data_docs import SuiteRun, write_data_docs
from pipeline.checks.judging import findings_of
from pipeline.checks.outcomes import Outcome, describe_outcome
from pipeline.checks.suites import Suite, read_suites

DAY = "2021-01-02"
FOUND = {
    "tables_keep_half_of_their_rows": {"table_name": "raw_northwind.orders", "row_count": 415, "row_count_before": 830},
    "orders_ship_to_countries": {"order_id": 10248, "ship_country": "<51100>"},
}


def _run(suite: Suite, found: dict[str, dict]) -> SuiteRun:
    """Return a run of a suite that met all expectations but those that found a row."""
    outcomes = [
        Outcome(check, check.id not in found, "select 1", bool(row), 830, examples=(row,) if row else ())
        for check in suite.checks
        for row in [found.get(check.id)]
    ]
    findings = [finding for outcome in outcomes for finding in findings_of(suite, outcome, frozenset({"shrink"}))]
    return SuiteRun(suite, outcomes, findings)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """The pages of a good run of both stages, and of one with findings."""
    home = Home(tmp_path)
    for stage in Stage:
        write_data_docs(home, stage, DAY, [_run(suite, {}) for suite in read_suites(stage)])
    write_data_docs(
        home, Stage.ARRIVALS, DAY, [_run(suite, FOUND) for suite in read_suites(Stage.ARRIVALS, ["northwind"])]
    )
    return tmp_path / "reports" / "expectations"


def test_pages_ask_no_other_host_and_tell_no_path(pages: Path) -> None:
    for path in pages.rglob("*.*"):
        text = path.read_text()
        assert not re.search(r"https?:|url\(|@import|<script|src=", text), path
        assert str(pages.parents[1]) not in text


def test_every_link_leads_somewhere(pages: Path) -> None:
    links = [(path, link) for path in pages.rglob("*.html") for link in re.findall(r'href="([^"]+)"', path.read_text())]
    assert len(links) > 40
    for path, link in links:
        assert link == "data:," or (path.parent / link).is_file(), (path, link)


def test_the_index_names_runs_by_day_and_stage(pages: Path) -> None:
    text = (pages / "index.html").read_text()
    rows = re.findall(r'"Run">([^<]+)</td>\s*<td data-label="Suite"><a href="([^"]+)"', text)
    assert rows == [
        (f"{DAY} arrivals", "runs/00003/every_source.html"),
        (f"{DAY} arrivals", "runs/00003/northwind.html"),
        (f"{DAY} marts", "runs/00002/community.html"),
        (f"{DAY} marts", "runs/00002/marketplace.html"),
        (f"{DAY} marts", "runs/00002/people.html"),
        (f"{DAY} marts", "runs/00002/sales.html"),
        (f"{DAY} arrivals", "runs/00001/every_source.html"),
        (f"{DAY} arrivals", "runs/00001/community.html"),
        (f"{DAY} arrivals", "runs/00001/event_log.html"),
        (f"{DAY} arrivals", "runs/00001/northwind.html"),
        (f"{DAY} arrivals", "runs/00001/order_details.html"),
        (f"{DAY} arrivals", "runs/00001/people.html"),
    ]


def test_a_page_shows_what_was_found(pages: Path) -> None:
    every_source, northwind = (
        (pages / "runs" / "00003" / f"{name}.html").read_text() for name in ("every_source", "northwind")
    )
    assert "<td>raw_northwind.orders</td><td>415</td><td>830</td>" in every_source
    assert "<td>10248</td><td>&lt;51100&gt;</td>" in northwind
    verdicts = re.findall(r'<section class="finding (\w+)" id="(\w+)"', every_source + northwind)
    assert verdicts == [("accepted", "tables_keep_half_of_their_rows"), ("warning", "orders_ship_to_countries")]


def test_a_measured_value_is_shown_with_what_was_expected() -> None:
    check = next(check for suite in read_suites(Stage.ARRIVALS) for check in suite.checks if check.bounds)
    shown = {
        "Found: 7, expected 1 to 5": Outcome(check, False, observed=7, bounds={"min_value": 1, "max_value": 5}),
        "Found: 4, expected 3": Outcome(check, False, observed=4, bounds={"min_value": 3.0, "max_value": 3.0}),
        "Found: -1, expected at least 0": Outcome(check, False, observed=-1, bounds={"min_value": 0}),
        "Found: 1, expected at most 0": Outcome(check, False, observed=1, bounds={"max_value": 0}),
        "Nothing to compare with": Outcome(check, True),
    }
    assert {describe_outcome(outcome): outcome for outcome in shown.values()} == shown


def test_the_last_fifty_runs_are_kept(tmp_path: Path) -> None:
    for _ in range(52):
        write_data_docs(Home(tmp_path), Stage.ARRIVALS, DAY, [])
    runs = sorted(path.name for path in (tmp_path / "reports" / "expectations" / "runs").iterdir())
    assert (runs[0], runs[-1], len(runs)) == ("00003", "00052", 50)
