"""A command's environment: empty variables are unset, and other tools' variables change nothing."""

import os

import pytest
from sqlalchemy.engine import make_url

from ingestion.environment import settle_environment
from ingestion.errors import BadRequest
from ingestion.settings import Home, database_url
from tests.python.s3_servers import clean_environment

URL = "postgresql://reader:pw@db.example.com/northwind"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without settings, whose changes are undone."""
    for name in os.environ.keys() - clean_environment().keys():
        monkeypatch.delenv(name)
    kept = dict(os.environ)
    yield monkeypatch
    os.environ.clear()
    os.environ.update(kept)


def test_what_is_empty_is_unset_and_what_others_read_stays(environment) -> None:
    empty = ("TRADEWINDS_HOME", "SOURCES__NORTHWIND__CREDENTIALS", "PEOPLE_DATABASE_URL", "DLT_PROJECT_DIR")
    for name in (*empty, "LANG", "DBT_ENV_SECRET_X"):
        environment.setenv(name, " " if name == "PEOPLE_DATABASE_URL" else "")
    default = Home.from_environment().root
    settle_environment()
    assert not os.environ.keys() & set(empty)
    assert os.environ.keys() >= {"LANG", "DBT_ENV_SECRET_X"}
    assert Home.from_environment().root == default
    assert database_url("northwind") is None


@pytest.mark.parametrize("name", ["DBT_EXCLUDE_RESOURCE_TYPES", "DBT_SELECT", "DBT_FAIL_FAST", "DBT_TARGET_PATH"])
def test_options_of_dbt_change_no_build(environment, name) -> None:
    environment.setenv(name, "test")
    environment.setenv("DBT_LOG_PATH", "/data/logs")  # the image's: dbt makes this folder whatever it is told
    settle_environment()
    assert name not in os.environ
    assert os.environ["DBT_LOG_PATH"] == "/data/logs"


@pytest.mark.parametrize(
    "name",
    ["TRADEWINDS_THREADS", "TRADEWINDS_POSTGRES_PORT", "TRADEWINDS_KEPT_VERSIONS", "TRADEWINDS_BACKUP_MAX_BYTES"],
)
@pytest.mark.parametrize("value", ["abc", "0", "-1", "1.5", "²"])
def test_a_bad_number_is_named_before_anything_is_done(environment, name, value) -> None:
    environment.setenv(name, value)
    with pytest.raises(BadRequest, match=f"^{name} must be a whole number from 1, not '{value}'$"):
        settle_environment()


def test_a_bad_amount_of_memory_is_named_before_anything_is_done(environment) -> None:
    environment.setenv("TRADEWINDS_MEMORY", "lots")
    with pytest.raises(BadRequest, match="TRADEWINDS_MEMORY"):
        settle_environment()


def test_libpq_s_variables_are_the_configured_databases_and_no_other_s(environment) -> None:
    environment.setenv("PGSSLMODE", "verify-full")
    environment.setenv("PGOPTIONS", "-c statement_timeout=0")
    environment.setenv("PGDATESTYLE", "German")
    environment.setenv("PGPASSWORD", "other")
    environment.setenv("PGSERVICEFILE", "/etc/pg_service.conf")
    settle_environment()
    assert [name for name in os.environ if name.startswith("PG")] == ["PGSERVICEFILE"]
    environment.setenv("SOURCES__NORTHWIND__CREDENTIALS", f"{URL}?application_name=nightly")
    url = make_url(database_url("northwind"))
    assert url.query == {
        "sslmode": "verify-full",
        "options": "-c statement_timeout=0",
        "application_name": "nightly",
        "connect_timeout": "10",
    }
    assert url.password == "pw"  # what the URL says goes before
    environment.setenv("SOURCES__NORTHWIND__CREDENTIALS", f"{URL}?sslmode=disable")
    assert make_url(database_url("northwind")).query["sslmode"] == "disable"


def test_libpq_s_variables_stay_for_a_configured_warehouse(environment) -> None:
    environment.setenv("PGSSLMODE", "require")
    environment.setenv("TRADEWINDS_POSTGRES_HOST", "db.example.com")
    settle_environment()
    assert os.environ["PGSSLMODE"] == "require"
