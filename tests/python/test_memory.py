"""The share of the machine's memory that publishing may take."""

import duckdb
import pytest

from ingestion.errors import BadRequest
from ingestion.session import memory_setting, open_session


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
