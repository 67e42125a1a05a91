"""A home may have any name: no library treats part of it as a placeholder, a variable or a URL."""

import pytest
from sqlalchemy import create_engine, text

from ingestion.extract import extract_source
from ingestion.load import load_sources
from ingestion.settings import Home
from ingestion.sources import SOURCES
from ingestion.warehouse.duckdb import DuckDBWarehouse

DAY = "2021-01-01"


@pytest.mark.parametrize("name", ["100%", "100% ü $HOME/%s #1 & 'two'"])
def test_a_day_lands_is_loaded_and_can_be_checked_in_a_home_of_any_name(tmp_path, monkeypatch, name):
    lines = tmp_path / "lines.csv"
    lines.write_text("order_id,product_id,unit_price,quantity,discount\n10248,11,14,12,0\n", encoding="utf-8")
    monkeypatch.setenv("SOURCES__ORDER_DETAILS__PATH", str(lines))
    home, source = Home(tmp_path / name), SOURCES["order_details"]
    warehouse = DuckDBWarehouse(home)
    extract_source(source, DAY, home)
    load_sources([source], DAY, home, warehouse)
    engine = create_engine(warehouse.audit_url())
    for _ in range(2):  # each connection is made of the same arguments
        with engine.connect() as connection:
            assert connection.execute(text("select order_id from raw_northwind.order_details")).scalar() == 10248
        engine.dispose()
