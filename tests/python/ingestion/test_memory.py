"""The share of the machine's memory that publishing may take, and a load of wide rows."""

import duckdb
import pytest

from ingestion.errors import BadRequest, StepFailed
from ingestion.load import load_sources
from ingestion.session import memory_setting, open_session
from ingestion.settings import Home
from ingestion.sources import sources_named
from ingestion.warehouse.duckdb import DuckDBWarehouse
from tests.python.sandbox import BUILT_DAY, Sandbox


@pytest.mark.parametrize("setting", ["0%", "101%", "-1", "none", "8", "8GB'; drop table x --"])
def test_a_wrong_memory_setting_is_named(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("TRADEWINDS_MEMORY", setting)
    with pytest.raises(BadRequest, match="TRADEWINDS_MEMORY"):
        memory_setting()


@pytest.mark.parametrize("setting", ["25%", "100%", "3GB", "1.5 GiB", "900mb"])
def test_a_memory_setting_is_what_a_session_takes(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("TRADEWINDS_MEMORY", setting)
    with duckdb.connect() as other:
        other.execute(f"set memory_limit = '{setting}'")
        (expected,) = other.execute("select current_setting('memory_limit')").fetchone()
    with open_session(memory=memory_setting()) as session:
        assert session.execute("select current_setting('memory_limit')").fetchone() == (expected,)


@pytest.mark.parametrize(("setting", "half"), [("50%", "25%"), ("1%", "0.5%"), ("3GB", "1.5GB"), ("1 GiB", "0.5 GiB")])
def test_two_sessions_at_once_share_the_memory(monkeypatch: pytest.MonkeyPatch, setting: str, half: str) -> None:
    monkeypatch.setenv("TRADEWINDS_MEMORY", setting)
    query = "select current_setting('memory_limit')"
    with open_session(memory=memory_setting(2)) as session, open_session(memory=half) as expected:
        assert session.execute(query).fetchone() == expected.execute(query).fetchone()


def test_rows_too_wide_for_the_memory_of_a_load_take_the_share_of_publishing(
    monkeypatch: pytest.MonkeyPatch, built: Sandbox
) -> None:
    home = Home(built.home)
    sources = sources_named(["northwind"])
    monkeypatch.setattr("ingestion.warehouse.duckdb._LOAD_MEMORY", "1MB")
    monkeypatch.setenv("TRADEWINDS_MEMORY", "1MB")
    with pytest.raises(StepFailed, match="the warehouse: Out of Memory"):
        load_sources(sources, BUILT_DAY, home, DuckDBWarehouse(home))
    monkeypatch.setenv("TRADEWINDS_MEMORY", "1GB")
    loaded = load_sources(sources, BUILT_DAY, home, DuckDBWarehouse(home))
    assert loaded["raw_northwind.orders"] == 830
    assert built.query("select count(*) from raw_northwind.orders") == [(830,)]
