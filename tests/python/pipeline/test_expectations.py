"""Good days meet every expectation, and each expectation fails once on bad rows."""

import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import yaml

from ingestion.errors import StepFailed
from ingestion.settings import Home
from ingestion.warehouse import open_warehouse
from pipeline.checks import CheckResult, Stage, refuse_critical, run, run_checks
from pipeline.checks.risks import PAGE, render_risks
from pipeline.checks.suites import FOLDER, Suite, read_suites
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY
from tests.python.spoils import SPOILS, TODAY

_COUNTS_AND_EXAMPLES = re.compile(
    r"[\d,]+ of [\d,]+ rows fail, such as \w+=.+|Found: (\w+=.+|[\d.:+ -]+, expected (at least |at most )?[\d.:+ to-]+)"
)
_SUITES = [suite for stage in Stage for suite in read_suites(stage)]


@pytest.fixture(scope="module")
def built(built_homes: BuiltHomes, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two days loaded and built, one after the other."""
    return Home(built_homes.copy_changed(tmp_path_factory.mktemp("two_days")).home)


@pytest.fixture
def copy(built: Home, tmp_path: Path) -> Home:
    """A copy of the warehouse that the test may spoil."""
    home = Home(tmp_path)
    home.warehouse.mkdir()
    shutil.copy2(built.warehouse / "tradewinds.duckdb", home.warehouse)
    return home


def _check(home: Home, stage: Stage, run_date: str = TODAY, **options: object) -> CheckResult:
    warehouse = open_warehouse("duckdb", home)
    return run_checks(stage, warehouse=warehouse, home=home, run_date=run_date, **({"sources": None} | options))


def _spoil(home: Home, *statements: str) -> None:
    with duckdb.connect(str(home.warehouse / "tradewinds.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement)


def _suite_of(expectation: str) -> Suite:
    return next(suite for suite in _SUITES if any(check.id == expectation for check in suite.checks))


def test_every_expectation_has_a_spoil() -> None:
    assert {check.id for suite in _SUITES for check in suite.checks} == set(SPOILS)


def test_expectations_have_names_of_their_own() -> None:
    contents = [yaml.safe_load(path.read_text()) for path in FOLDER.glob("*/*.yml")]
    ids = [check["id"] for content in contents for check in content["expectations"]]
    assert [name for name, count in Counter(ids).items() if count > 1] == []


def test_the_page_of_risks_is_what_the_suites_say() -> None:
    page = PAGE.read_text()
    assert page == render_risks()
    for check in (check for suite in _SUITES for check in suite.checks):
        option = f", `--accept-{check.accepted_by}`" if check.accepted_by else ""
        assert f"\n| {check.risk} | `{check.id}` | {check.severity}{option} |\n" in page


@pytest.mark.parametrize("stage", list(Stage))
def test_good_days_meet_every_expectation(built: Home, stage: Stage) -> None:
    result = _check(built, stage)
    assert result.findings == []
    assert result.failed == 0
    assert result.passed == sum(len(suite.checks) for suite in _SUITES if suite.stage == stage)


def test_a_first_day_is_compared_with_nothing(built: Home) -> None:
    assert _check(built, Stage.ARRIVALS, run_date=BUILT_DAY).findings == []


@pytest.mark.parametrize("expectation", SPOILS)
def test_a_spoiled_day_is_found(copy: Home, monkeypatch: pytest.MonkeyPatch, expectation: str) -> None:
    suite = _suite_of(expectation)
    (check,) = (check for check in suite.checks if check.id == expectation)
    # By itself and without pages: whole suites are run on good days, and a hundred of them would take minutes.
    monkeypatch.setattr(run, "read_suites", lambda *_: [replace(suite, checks=[check])])
    monkeypatch.setattr(run, "write_data_docs", lambda *_: None)
    _spoil(copy, SPOILS[expectation])
    result = _check(copy, suite.stage)
    assert result.failed == 1
    assert result.critical == (result.findings if check.severity == "critical" else [])
    for finding in result.findings:
        place = f"{finding.table}.{finding.column}" if finding.column else finding.table
        assert str(finding).startswith(f"{expectation} on {place}: {check.expect} ")
        assert _COUNTS_AND_EXAMPLES.fullmatch(finding.description.removeprefix(check.expect).strip())
        assert place.startswith(("raw_", "sales.", "snapshots.", "marketplace.", "people.", "community."))


def test_what_stops_the_run_is_one_line_with_the_way_on(copy: Home) -> None:
    _spoil(copy, SPOILS["tables_keep_half_of_their_rows"], SPOILS["orders_ship_to_countries"])
    result = _check(copy, Stage.ARRIVALS, sources=["northwind"])
    with pytest.raises(StepFailed) as failed:
        refuse_critical(result)
    assert failed.value.reason == (
        "tables_keep_half_of_their_rows on raw_northwind.orders: A table keeps more than half of the day before's "
        "rows. Found: row_count=414 row_count_before=830; if this is intended, add --accept-shrink"
    )
    assert failed.value.page == str(copy.root / "reports" / "expectations" / "index.html")
    assert [finding.check.id for finding in result.warnings] == ["orders_ship_to_countries"]


def test_an_accepted_finding_is_told_and_stops_nothing(copy: Home) -> None:
    _spoil(copy, SPOILS["tables_keep_half_of_their_rows"])
    result = _check(copy, Stage.ARRIVALS, accepted=frozenset({"shrink"}))
    assert result.critical == []
    assert [finding.accepted_by for finding in result.warnings] == ["shrink"]
    assert _check(copy, Stage.ARRIVALS, accepted=frozenset({"stale"})).critical


def test_a_sample_is_not_compared_with_a_real_day(copy: Home) -> None:
    _spoil(
        copy,
        "alter table raw_ops.landed_tables add column if not exists is_sample boolean",
        f"update raw_ops.landed_tables set is_sample = run_date < '{TODAY}'",
        SPOILS["tables_keep_half_of_their_rows"],
        SPOILS["columns_are_not_emptied"],
    )
    assert _check(copy, Stage.ARRIVALS).findings == []


def test_an_expectation_that_cannot_be_checked_is_a_finding(copy: Home) -> None:
    _spoil(
        copy,
        "alter table sales.orders_with_details rename column net_amount_usd to net",
        "alter table sales.fct_order_lines rename column unit_price_usd to price",
        "drop view raw_people.employees",
    )
    findings = _check(copy, Stage.MARTS).findings
    assert {finding.check.id for finding in findings} == {
        "details_net_amount_is_that_of_the_lines",  # Great Expectations misses the column
        "lines_prices_are_near_list_prices",  # its SQL fails
        "hires_newest_hire_is_the_one_that_arrived",  # its bounds can't be computed
    }
    assert all("It could not be checked: " in finding.description for finding in findings)


def test_a_table_that_is_missing_hides_no_other_finding(copy: Home) -> None:
    _spoil(copy, "drop view raw_northwind.us_states", SPOILS["orders_ship_to_countries"])
    result = _check(copy, Stage.ARRIVALS, sources=["northwind"])
    found = {finding.check.id for finding in result.findings}
    assert {"us_states_abbreviations_have_two_letters", "orders_ship_to_countries"} <= found


def test_the_warehouse_can_be_written_after_a_check(copy: Home) -> None:
    _check(copy, Stage.MARTS)
    _spoil(copy, "create table main.written (a int)")


def test_suites_run_when_all_their_sources_are_asked_for() -> None:
    assert [suite.name for suite in read_suites(Stage.MARTS, ["northwind"])] == []
    assert [suite.name for suite in read_suites(Stage.MARTS, ["northwind", "order_details"])] == ["sales"]
    assert [suite.name for suite in read_suites(Stage.ARRIVALS, ["event_log"])] == ["every_source", "event_log"]
