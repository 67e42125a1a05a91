"""A database of another shape is refused before anything lands, in one line."""

import pytest

from ingestion.errors import BadRequest, StepFailed
from ingestion.extract import extract_source
from ingestion.landing import Landing
from ingestion.settings import Home
from ingestion.sources import SOURCES

DAY, NEXT_DAY = "2021-01-01", "2021-01-02"


@pytest.fixture
def extract(northwind, tmp_path, monkeypatch):
    """Change Northwind, land a day of it, and return the manifest."""
    monkeypatch.setenv("SOURCES__NORTHWIND__CREDENTIALS", northwind.url)

    def change_and_extract(*changes: str, day: str = DAY, **options):
        for change in changes:
            northwind.execute(change)
        return extract_source(SOURCES["northwind"], day, Home(tmp_path), **options)

    return change_and_extract


def test_what_is_missing_or_mistyped_is_listed_in_one_line(extract, tmp_path, monkeypatch):
    with pytest.raises(StepFailed) as raised:
        extract(
            "alter table us_states rename to usstates",
            'alter table region rename to "Region"',
            "alter table shippers rename column shipper_id to shipperid",
            "alter table suppliers drop column fax",
            "alter table orders alter freight type text, alter order_date type text",
            "alter table products alter unit_price type money using unit_price::numeric::money",
            "alter table orders alter required_date type timestamptz",
            "alter table products alter units_in_stock type numeric(9)",
            "alter table customers rename to customers_base",
            "create view customers as table customers_base",
            "create table order_details_copy (n integer)",
        )
    views = "SOURCES__NORTHWIND__VIEWS"
    assert str(raised.value) == (
        "northwind isn't the database that the models read: "
        f"table customers is missing (the view of this name is read if {views} names it); "
        "orders.freight is string, not a number; orders.order_date is string, not a date; "
        "table region is missing (there is Region); shippers.shipper_id is missing (there is shipperid); "
        "suppliers.fax is missing; table us_states is missing (there is usstates)"
    )
    assert Landing(Home(tmp_path)).manifest("northwind", DAY) is None
    monkeypatch.setenv(views, '["customers"]')
    with pytest.raises(StepFailed, match=r"models read: orders\.freight is string"):
        extract()
    before = extract(accept_drift=True)
    assert before.tables["customers"].rows == 91
    assert extract(day=NEXT_DAY).tables.keys() == before.tables.keys()  # accepted once is accepted
    with pytest.raises(StepFailed, match="table territories → gone; if this is intended"):
        extract("drop table employee_territories, territories", day=NEXT_DAY)


def test_one_table_of_two_sources_is_refused_at_extract(extract, monkeypatch):
    lines = "create table order_details as select 10248::bigint as order_id, 11::bigint as product_id"
    assert "order_details" not in extract(lines).tables
    # The default lives in the code, so no other folder of settings hides it.
    monkeypatch.setenv("SOURCES__NORTHWIND__EXCLUDE_TABLES", '["audit_log"]')
    with pytest.raises(StepFailed, match="northwind and order_details both have a table order_details"):
        extract()
    monkeypatch.setenv("SOURCES__NORTHWIND__EXCLUDE_TABLES", '["audit_log", "order_details"]')
    assert extract().warnings == ["SOURCES__NORTHWIND__EXCLUDE_TABLES names tables that don't exist: audit_log"]


@pytest.mark.parametrize("value", ["customers_backup", "true", '{"customers": 1}', "[1]"])
@pytest.mark.parametrize("name", ["EXCLUDE_TABLES", "TABLES", "VIEWS"])
def test_a_list_of_names_that_is_none_is_refused(extract, monkeypatch, name, value):
    monkeypatch.setenv(f"SOURCES__NORTHWIND__{name}", value)
    with pytest.raises(BadRequest, match=f"^SOURCES__NORTHWIND__{name} can't be read: expected a JSON list of names"):
        extract()
