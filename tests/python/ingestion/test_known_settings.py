"""A misspelt setting is refused; unrelated variables aren't."""

import os
import re
import shutil

import pytest

from ingestion.errors import BadRequest
from ingestion.known_settings import SETTINGS_OF_A_KIND, TRADEWINDS_SETTINGS, refuse_unknown_settings
from ingestion.settings import PROJECT, database_url, source_setting, use_project_settings
from ingestion.source_settings import source_kinds
from ingestion.sources import SOURCES
from tests.python.s3_servers import clean_environment
from tests.python.sandbox import Sandbox


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path) -> pytest.MonkeyPatch:
    """An environment without settings, of a project with the committed settings alone."""
    for name in os.environ.keys() - clean_environment().keys():
        monkeypatch.delenv(name)
    (tmp_path / ".dlt").mkdir()
    shutil.copy(PROJECT / ".dlt" / "config.toml", tmp_path / ".dlt")
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TRADEWINDS_HOEM", "TRADEWINDS_HOME"),
        ("tradewinds_home", "TRADEWINDS_HOME"),
        ("TRADEWINDS_POSTGRES_HOSTNAME", "TRADEWINDS_POSTGRES_HOST"),
        ("SOURCES__NORTHWIND__CREDENTAILS", "SOURCES__NORTHWIND__CREDENTIALS"),
        ("SOURCES__NORTHWIND__CREDENTIALS__HOTS", "SOURCES__NORTHWIND__CREDENTIALS__HOST"),
        ("SOURCES__NORTWIND__CREDENTIALS", "SOURCES__NORTHWIND__CREDENTIALS"),
        ("SOURCES__COMMUNITY__PATH", None),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_nearest_one(environment, name, meant) -> None:
    environment.setenv(name, "a-value")
    with pytest.raises(BadRequest) as raised:
        refuse_unknown_settings()
    assert name in raised.value.reason
    assert meant is None or f"{name} (did you mean {meant}?)" in raised.value.reason
    assert raised.value.command == f"unset {name}"
    assert "a-value" not in raised.value.reason


def test_what_is_read_and_what_others_set_is_let_through(environment, tmp_path) -> None:
    for name in (
        "TRADEWINDS_HOME",
        "TRADEWINDS_TEST_HOMES",
        "TRADEWINDS_POSTGRES_PASSWORD_FILE",
        "TRADEWINDS_SALES_ALERT_URL",
        "TRADEWINDS_PEOPLE_SERVICE_HOST",
        "TRADEWINDS_PEOPLE_SERVICE_PORT_HTTP",
        "TRADEWINDS_PEOPLE_PORT_8321_TCP_ADDR",
        "SOURCES__NORTHWIND__CREDENTIALS",
        "SOURCES__NORTHWIND__CREDENTIALS_FILE",
        "SOURCES__NORTHWIND__CREDENTIALS__HOST",
        "SOURCES__NORTHWIND__CREDENTIALS__QUERY__SSLMODE",
        "SOURCES__EVENT_LOG__MAX_REJECTED_ROWS",
        "SOURCES__COMMUNITY__BUDGET_SECONDS",
    ):
        environment.setenv(name, "x")
    refuse_unknown_settings()
    environment.setenv("SOURCES__ERP__CREDENTIALS", "x")
    with pytest.raises(BadRequest):
        refuse_unknown_settings()
    refuse_unknown_settings(adding=["erp", "--kind", "postgres"])
    settings = tmp_path / ".dlt" / "config.toml"
    committed = settings.read_text(encoding="utf-8")
    settings.write_text(f'{committed}\n[sources.erp]\nkind = "postgres"\n', encoding="utf-8")
    refuse_unknown_settings()
    # A dlt source is a person's own code.
    settings.write_text(f'{committed}\n[sources.tides]\nkind = "dlt"\n', encoding="utf-8")
    environment.setenv("SOURCES__TIDES__STATION", "x")
    refuse_unknown_settings()
    environment.setenv("SOURCES__NORTHWIND__CREDENTAILS", "x")
    with pytest.raises(BadRequest, match="CREDENTAILS"):
        refuse_unknown_settings()


def test_a_url_may_come_in_parts_and_a_file_is_read_again_when_it_changes(tmp_path, monkeypatch) -> None:
    (tmp_path / ".dlt").mkdir()
    secrets = tmp_path / ".dlt" / "secrets.toml"
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    assert database_url("northwind") is None
    for name, value in {
        "HOST": "h",
        "USERNAME": "ann",
        "PASSWORD": "p@ss",
        "DATABASE": "d",
        "QUERY__SSLMODE": "require",
    }.items():
        monkeypatch.setenv(f"SOURCES__NORTHWIND__CREDENTIALS__{name}", value)
    assert database_url("northwind") == "postgresql://ann:p%40ss@h/d?connect_timeout=10&sslmode=require"
    secrets.write_text('[sources.northwind.credentials]\nhost = "other"\nport = 5433\n', encoding="utf-8")
    assert database_url("northwind").startswith("postgresql://ann:p%40ss@h:5433/d?")
    secrets.write_text('[sources.northwind]\nschema = "s"\n', encoding="utf-8")
    assert source_setting("northwind", "schema") == "s"
    monkeypatch.setenv("SOURCES__NORTHWIND__SCHEMA", "t")
    assert source_setting("northwind", "schema") == "t"
    monkeypatch.setenv("SOURCES__NORTHWIND__CREDENTIALS__PORT", "many")
    with pytest.raises(BadRequest, match=r"^SOURCES__NORTHWIND__CREDENTIALS can't be read: expected postgresql://"):
        database_url("northwind")


def test_the_list_has_every_name_that_is_read() -> None:
    """Fails if a setting is read somewhere and isn't listed, because it would then be refused."""
    use_project_settings()
    from dlt.common.configuration.specs import ConnectionStringCredentials

    folders = ("ingestion", "pipeline", "people_api", "deploy", "benchmarks", "docs", "tests", "macros")
    files = [path for folder in folders for path in (PROJECT / folder).rglob("*") if path.suffix != ".pyc"]
    files += [PROJECT / "profiles.yml", PROJECT / "Makefile", PROJECT / "development.mk", PROJECT / "Dockerfile"]
    read = set()
    for path in files:
        if path.is_file() and path.name != "test_known_settings.py":
            text = path.read_text(encoding="utf-8", errors="replace")
            read.update(re.findall(r"\bTRADEWINDS_[A-Z_]*[A-Z](?![A-Z_(])", text))
    no_settings = {"TRADEWINDS_SETTINGS", "TRADEWINDS_TREADS"}
    assert {name for name in read if not name.endswith("_FILE")} - no_settings <= TRADEWINDS_SETTINGS
    fields = {f"credentials__{name}" for name in ConnectionStringCredentials().keys() if not name.startswith("_")}  # noqa: SIM118
    assert fields <= set(SETTINGS_OF_A_KIND["postgres"])
    assert source_kinds() == {name: source.kind for name, source in SOURCES.items()}


@pytest.mark.e2e
def test_a_command_with_a_misspelt_setting_does_nothing(tmp_path) -> None:
    sandbox = Sandbox(tmp_path / "home", {"SOURCES__NORTHWIND__CREDENTAILS": "postgresql://u:hidden@h/d"})
    line = sandbox.fail(2, "extract", "--run-date", "2021-01-01")
    assert "did you mean SOURCES__NORTHWIND__CREDENTIALS?" in line
    assert "hidden" not in line
    assert not (tmp_path / "home").exists()
    assert sandbox.run("extract", "--help").returncode == 0
