"""Seeds in the marts: holidays on their days, countries with their continent, unknown countries."""

import csv
import re
from datetime import date

import pytest

from ingestion.settings import PROJECT
from tests.python.sandbox import BUILT_DAY, Sandbox

# As the US Office of Personnel Management lists them.
HOLIDAYS_OF_1997 = {
    date(1997, 1, 1): "New Year's Day",
    date(1997, 1, 20): "Martin Luther King Jr. Day",
    date(1997, 2, 17): "Washington's Birthday",
    date(1997, 5, 26): "Memorial Day",
    date(1997, 7, 4): "Independence Day",
    date(1997, 9, 1): "Labor Day",
    date(1997, 10, 13): "Columbus Day",
    date(1997, 11, 11): "Veterans Day",
    date(1997, 11, 27): "Thanksgiving",
    date(1997, 12, 25): "Christmas Day",
}


@pytest.mark.unit
def test_the_seed_has_the_types_of_events_that_the_rule_accepts() -> None:
    rule = (PROJECT / "macros" / "rules" / "reject_reason.sql").read_text(encoding="utf-8")
    accepted = set(re.findall(r"'(\w+)'", re.search(r"event_type not in \((.*?)\)", rule, re.DOTALL)[1]))
    with (PROJECT / "seeds" / "event_types.csv").open(encoding="utf-8") as seed:
        assert accepted == {row["event_type"] for row in csv.DictReader(seed)} != set()


def test_holidays_are_on_their_days(shared_built: Sandbox) -> None:
    named = "select date_day, holiday_name from sales.dim_dates where holiday_name is not null and "
    assert dict(shared_built.query(named + "year_number = 1997")) == HOLIDAYS_OF_1997
    juneteenth = shared_built.query(named + "holiday_name = 'Juneteenth' and year_number >= 2020")
    assert juneteenth == [(date(2021, 6, 19), "Juneteenth")]


def test_a_country_has_its_continent_and_one_that_no_seed_knows_is_a_warning(built: Sandbox) -> None:
    columns = "select country_code, world_region, continent from sales.dim_customers where country = "
    assert set(built.query(columns + "'Mexico'")) == {("MX", "Central America", "North America")}
    built.northwind.execute("update customers set country = 'Atlantis' where country = 'Mexico'")
    day = ("--run-date", BUILT_DAY)
    for step in ("extract", "load"):
        built.succeed(step, *day, "--source", "northwind")
    models = ("stg_northwind__customers", "customers_snapshot", "dim_customers")
    done = built.dbt("build", "--select", *models, "--vars", f"{{run_date: {BUILT_DAY}}}")
    assert done.returncode == 0, done.stdout
    assert "relationships_dim_customers_country__country__ref_countries_" in done.stdout
    assert "WARN=1 " in done.stdout
    assert set(built.query(columns + "'Atlantis'")) == {(None, None, None)}
