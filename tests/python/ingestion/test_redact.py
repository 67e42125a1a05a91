"""No password is printed, in any spelling a URL allows."""

import re
from io import StringIO
from urllib.parse import quote, quote_plus

import psycopg
import pytest
from rich.console import Console
from sqlalchemy.engine import URL

from ingestion import redact as module
from ingestion.errors import StepFailed
from ingestion.redact import one_line, redact, register_secret
from ingestion.settings import database_url
from ingestion.sources.postgres import open_postgres
from pipeline.run.reporter import Reporter

PASSWORDS = ["p@ss:w/rd%", "plain", "a b+c/d", "two  spaces", "100%25", "ü@ñ", "[.*]+$", 'it\'s "quoted"', "x@y@z"]


def sqlalchemys(password: str) -> str:
    """The password as SQLAlchemy writes it into a URL: spaces and plus signs as they are."""
    url = URL.create("postgresql", "u", password, "h").render_as_string(hide_password=False)
    return url.removeprefix("postgresql://u:").removesuffix("@h")


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch):
    """Start without secrets, and forget those of a test."""
    monkeypatch.setattr(module, "_secrets", set())


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_registered_password_vanishes_in_every_spelling(password):
    register_secret(password)
    escaped = quote(password, safe="")
    lower = re.sub("%..", lambda match: match[0].lower(), escaped)
    everything = "".join(f"%{byte:02X}" for byte in password.encode())
    for spelling in (
        password,
        escaped,
        lower,
        everything,
        quote_plus(password),
        quote(password),
        sqlalchemys(password),
    ):
        text = redact(f'could not connect with "{spelling}" to host')
        assert spelling not in text
        assert text == 'could not connect with "***" to host'
        url = redact(f"postgresql://user:{spelling}@host:5432/db failed")
        assert spelling not in url
        assert url.endswith("@host:5432/db failed")


@pytest.mark.parametrize("password", ["plain", "p%40ss", "a:b/c", "p@ss", "x@y@z"])
def test_an_unknown_password_inside_a_url_vanishes(password):
    text = redact(f"see postgresql://user:{password}@host:5432/db and http://other.example/a@b")
    assert text == "see postgresql://user:***@host:5432/db and http://other.example/a@b"


def test_text_without_a_secret_is_left_as_it_is():
    register_secret("secret")
    for text in ("", "12:30 a@b.c", "postgresql://user@host/db", "http://host:80/path", "SELECT 1 :: int"):
        assert redact(text) == text


@pytest.mark.parametrize("password", ["northwind", "b", "database", "2021", "Extract"])
def test_a_password_that_is_a_word_of_the_project_leaves_its_sentences_whole(password):
    register_secret(password)
    says = "extract 2021-01-01 failed: northwind: the database can't be reached; run: tradewinds extract --source b"
    assert one_line(StepFailed(says)) == says
    assert one_line(StepFailed(f"at postgresql://northwind:{password}@h/b")) == "at postgresql://northwind:***@h/b"
    foreign = f'password "{password}" of stg_northwind__orders is refused by the database2'
    assert one_line(ValueError(foreign)) == 'password "***" of stg_northwind__orders is refused by the database2'


def test_any_other_secret_vanishes_from_the_projects_sentences_too():
    register_secret("hunter2")
    register_secret("q7w8-e9r0t1")
    says = one_line(StepFailed("no hunter2, but hunter22, and xq7w8-e9r0t1x"))
    assert says == "no ***, but hunter22, and x***x"


def test_a_password_within_another_leaves_no_rest():
    register_secret("abc")
    register_secret("abcdef")
    assert redact("abcdef abc") == "*** ***"


def test_an_empty_secret_changes_nothing():
    register_secret("")
    assert redact("text") == "text"


@pytest.mark.parametrize("password", PASSWORDS)
def test_one_line_has_no_newline_and_no_password(password):
    register_secret(password)
    line = one_line(ValueError(f"first\n  second {password}\r\n\tthird"))
    assert line == "first second *** third"
    assert one_line(ValueError()) == "ValueError"
    assert one_line(ValueError(" \n ")) == "ValueError"


@pytest.mark.parametrize("password", PASSWORDS)
def test_the_password_of_the_settings_reaches_the_server_and_no_message(password, server, monkeypatch):
    server.ensure_database("redact")
    owner = server.url("redact")
    _, _, place = owner.rpartition("/")[0].partition("@")
    escaped = password.replace("'", "''")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("create table if not exists t (a int)")
        connection.execute("drop role if exists reader")
        connection.execute(f"create role reader login password '{escaped}'")

    def configure(given: str, name: str) -> str:
        url = f"postgresql://reader:{given}@{place}/{name}"
        monkeypatch.setenv("SOURCES__NORTHWIND__CREDENTIALS", url)
        return database_url("northwind")

    def failure(url: str) -> str:
        with pytest.raises(StepFailed) as raised, open_postgres(url, schema="public", exclude=[]):
            pass
        return str(raised.value)

    with open_postgres(configure(quote(password, safe=""), "redact"), schema="public", exclude=[]) as reading:
        assert list(reading.schemas()) == ["t"]
    messages = [
        failure(configure(quote(password, safe=""), "no_such_database")),
        failure(configure(quote("x" + password, safe=""), "redact")),
    ]
    assert 'database "no_such_database" does not exist' in messages[0]
    assert "password authentication failed" in messages[1]
    for message in messages:
        assert password not in message
        assert quote(password, safe="") not in message
        assert sqlalchemys(password) not in message


def test_a_password_in_the_query_of_the_url_vanishes(monkeypatch):
    url = "postgresql://user@localhost:1/db?connect_timeout=1&password=se%20cret"
    monkeypatch.setenv("SOURCES__NORTHWIND__CREDENTIALS", url)
    assert database_url("northwind") == url
    assert redact(url) == "postgresql://user@localhost:1/db?connect_timeout=1&password=***"


def test_what_a_terminal_would_act_on_or_hide_is_shown_escaped():
    foreign = "a\x1b[31mb\x07c\nd\xa0e\u202ef [red]g[/red]"
    shown = r"a\x1b[31mb\x07c\nd\xa0e\u202ef [red]g[/red]"
    console = Console(file=StringIO(), soft_wrap=True)
    reporter = Reporter(console)
    reporter.say(foreign)
    reporter.line("extract", foreign, None, None)
    assert [line.removeprefix("extract  ") for line in console.file.getvalue().splitlines()] == [shown, shown]
    assert one_line(StepFailed("x\x1b]0;title\x07y")) == r"x\x1b]0;title\x07y"
