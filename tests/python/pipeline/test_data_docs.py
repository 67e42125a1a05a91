"""Data Docs are self-contained: no dead link, no request to another host."""

import re
from pathlib import Path

import pytest

from ingestion.settings import Home
from pipeline.checks import Stage
from pipeline.checks.data_docs import SuiteRun, write_data_docs
from pipeline.checks.findings import findings_of
from pipeline.checks.outcomes import Outcome, describe_outcome, expected_of, found_in
from pipeline.checks.suites import Check, Suite, read_suites

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
    findings = [finding for outcome in outcomes for finding in findings_of(outcome, frozenset({"shrink"}))]
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
    # The one style sheet holds its font.
    style = (pages.parent / "style.css").read_text()
    assert not re.search(r"https?:|@import|url\((?!data:)", style)


def test_every_link_leads_somewhere(pages: Path) -> None:
    links = [(path, link) for path in pages.rglob("*.html") for link in re.findall(r'href="([^"]+)"', path.read_text())]
    assert len(links) > 40
    # The run that makes the checks writes the site's index.
    index = pages.parent / "index.html"
    for path, link in links:
        target = (path.parent / link.partition("#")[0]).resolve()
        assert link == "data:," or target == index or target.is_file(), (path, link)


def _rows(table: str) -> list[tuple[str, list[str], list[str]]]:
    """Return a table's runs: the name, the suites' pages, and the counts."""
    return [
        (name, re.findall(r'href="([^"]+)"', row), re.findall(r'class="number[^"]*">(\d+)<', row))
        for row in re.findall(r"<tr>.*?</tr>", table, re.S)
        for name in re.findall(r'"Run" class="moment">([^<]+)<', row)
    ]


def test_the_index_has_a_row_for_each_run(pages: Path) -> None:
    rows = _rows((pages / "index.html").read_text())
    assert [name for name, _, _ in rows] == [f"{DAY} arrivals", f"{DAY} marts", f"{DAY} arrivals"]
    assert rows[0][1] == ["runs/00003/every_source.html", "runs/00003/northwind.html"]
    assert [Path(link).stem for link in rows[1][1]] == ["community", "marketplace", "people", "sales"]
    assert rows[0][2][1:] == ["1", "1", "0"]
    assert rows[1][2][1:] == ["0", "0", "0"]
    assert int(rows[1][2][0]) == sum(len(suite.checks) for suite in read_suites(Stage.MARTS))


def _check(**how: object) -> Check:
    return Check(id="x", table="t", expect="It holds.", severity="critical", risk="It may not.", **how)


@pytest.mark.parametrize(
    ("how", "outcome", "expected", "found"),
    [
        ({"query": "q"}, {"passed": True, "unexpected": 0, "elements": 9}, "no such row", "none"),
        (
            {"query": "q"},
            {"passed": False, "unexpected": 1, "elements": 9, "examples": ({"id": 7},)},
            "no such row",
            "id=7",
        ),
        ({"where": "w"}, {"passed": True, "unexpected": 0, "elements": 9}, "no such row", "none"),
        (
            {"where": "w"},
            {"passed": False, "unexpected": 2, "elements": 9, "examples": ({"id": 7},)},
            "no such row",
            "2 of 9 rows fail, such as id=7",
        ),
        ({"type": "u"}, {"passed": True, "unexpected": 0, "elements": 1234}, "every row", "1,234 of 1,234 rows"),
        (
            {"type": "m", "arguments": {"min_value": 0.5, "max_value": None}},
            {"passed": True, "observed": 0.75},
            "min 0.5",
            "0.75",
        ),
        (
            {"type": "n", "arguments": {"mostly": 0.9}},
            {"passed": True, "unexpected": 1, "elements": 10},
            "at least 0.9 of the rows",
            "9 of 10 rows",
        ),
        ({"type": "b"}, {"passed": False, "observed": 7, "bounds": {"max_value": 5}}, "max 5", "7"),
        ({"type": "b"}, {"passed": True}, "every row", "Nothing to compare with"),
        ({"query": "q"}, {"passed": False, "error": "no  table"}, "no such row", "It could not be checked: no table"),
    ],
)
def test_what_was_found_stands_beside_what_was_expected(how: dict, outcome: dict, expected: str, found: str) -> None:
    outcome = Outcome(_check(**how), **outcome)
    assert (expected_of(outcome), found_in(outcome)) == (expected, found)


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
    folder = tmp_path / "reports" / "expectations"
    runs = sorted(path.name for path in (folder / "runs").iterdir())
    assert (runs[0], runs[-1], len(runs)) == ("00003", "00052", 50)
    shown, earlier = (folder / "index.html").read_text().split("36 earlier runs")
    assert (len(_rows(shown)), len(_rows(earlier))) == (14, 36)
