"""The people database as a source: only its four tables, and one clear line if it can't be read."""

from pathlib import Path

import pytest

from ingestion.errors import BadRequest, StepFailed
from ingestion.redact import redact
from ingestion.settings import Home, people_database_url
from ingestion.sources import SOURCES
from tests.python.people import read_rows
from tests.python.sandbox import Database, Sandbox

DAY = "2021-01-01"
PEOPLE = SOURCES["people"]


def test_only_its_tables_are_read(people: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people.execute("create table secrets (key text)")
    monkeypatch.setenv("PEOPLE_DATABASE_URL", people.url)
    assert not PEOPLE.is_sample(Home(tmp_path))
    with PEOPLE.open(Home(tmp_path), DAY, tmp_path) as reading:
        assert sorted(reading.schemas()) == ["departments", "employees", "jobs", "rejected_rows"]
        for table in reading.schemas():
            rows = sum(batch.num_rows for batch in reading.read(table))
            assert rows == reading.count(table) == people.query(f"select count(*) from {table}")[0][0] > 0
            assert reading.rejects(table) == []
            keys = people.query(f"select sum(id)::text from {table}")[0][0]
            assert reading.totals(table).key == keys


def test_accepted_and_rejected_rows_make_the_file(people: Database, server) -> None:
    path = Home(server.home).sources / "people" / "employees.csv"
    lines = len(list(read_rows(path, "employees")))
    counted = people.query("select (select count(*) from employees), (select count(*) from rejected_rows)")
    assert sum(counted[0]) == lines == 1999


@pytest.mark.parametrize(
    ("dropped", "missing"),
    [
        ("rejected_rows", "rejected_rows"),
        ("employees, departments, jobs", "departments, jobs, employees"),
    ],
)
def test_missing_tables_name_the_migration(
    people: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropped: str, missing: str
) -> None:
    people.execute(f"drop table {dropped} cascade")
    monkeypatch.setenv("PEOPLE_DATABASE_URL", people.url)
    with pytest.raises(StepFailed) as raised, PEOPLE.open(Home(tmp_path), DAY, tmp_path):
        pass
    assert raised.value.reason == f"the people database lacks {missing}"
    assert raised.value.command == "tradewinds people migrate"


def test_a_missing_table_is_one_line_of_the_command(sandbox: Sandbox) -> None:
    sandbox.people.execute("drop table rejected_rows")
    line = sandbox.fail(1, "extract", "--run-date", DAY, "--source", "people")
    assert f"extract {DAY} failed: people: the people database lacks rejected_rows" in line
    assert line.endswith("tradewinds people migrate")
    assert not (sandbox.home / "landing" / "_manifests" / "people" / f"{DAY}.json").exists()


@pytest.mark.parametrize(
    "url", ["not a url", "mysql://u:hunter2@h/db", "postgresql://u:hunter2@h", "postgresql://u:hunter2@h:port/d"]
)
def test_a_url_that_cannot_be_read_is_a_wrong_request(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PEOPLE_DATABASE_URL", url)
    with pytest.raises(BadRequest) as raised:
        people_database_url()
    assert str(raised.value).startswith("PEOPLE_DATABASE_URL can't be read: expected postgresql://")
    assert "hunter2" not in str(raised.value)


def test_the_url_waits_ten_seconds_and_its_password_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEOPLE_DATABASE_URL", "postgresql+psycopg://clerk:hunter%402@db.example/people?sslmode=require")
    url = people_database_url()
    assert url == "postgresql://clerk:hunter%402@db.example/people?connect_timeout=10&sslmode=require"
    assert redact("password hunter@2 refused") == "password *** refused"


@pytest.mark.parametrize("url", ["", None])
def test_nothing_configured_is_the_embedded_database(monkeypatch: pytest.MonkeyPatch, url: str | None) -> None:
    monkeypatch.delenv("PEOPLE_DATABASE_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("PEOPLE_DATABASE_URL", url)
    assert people_database_url() is None
