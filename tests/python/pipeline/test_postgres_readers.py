"""Readers on Postgres have their own role: every mart, every version, nothing else."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.settings import Home
from pipeline.cli import main
from pipeline.publishing.limits import Limits
from tests.python.pipeline.test_publishing import DAYS, MARTS, Engine, on_postgres
from tests.python.sandbox import Database

_PASSWORD = "it's a secret"


@pytest.fixture
def role() -> str:
    """A name that no other test's role has: roles are the whole server's."""
    return f"reader_{uuid4().hex}"


@pytest.fixture
def database(new_database, role: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("TRADEWINDS_READER_ROLE", role)
    database = new_database()
    yield database
    with psycopg.connect(database.url, autocommit=True) as connection:
        if connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
            connection.execute(f"drop owned by {role}")
            connection.execute(f"drop role {role}")


@pytest.fixture
def engine(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with on_postgres(Home(tmp_path), database.url, monkeypatch) as engine:
        yield engine


def _ask(engine: Engine, statement: str, limits: Limits | None = None) -> list[tuple]:
    with engine.publisher.answering(statement, limits) as answer:
        return list(answer.rows)


_READS = "select order_id, amount::integer from sales.orders inner join sales.lines using (order_id) order by 1"


def test_readers_see_every_mart_of_every_version_and_nothing_else(engine: Engine, database: Database) -> None:
    first = engine.publish(DAYS[0], {1: 10})
    assert _ask(engine, _READS) == [(1, 10)]
    assert _ask(engine, "select step from ops.steps") == [("one",)]
    assert _ask(engine, "select run_date::text from public.published_version") == [(DAYS[0],)]
    # The same tables with other rows, then tables that are made anew, then the first ones again.
    engine.publish(DAYS[1], {1: 11, 2: 20})
    assert _ask(engine, _READS) == [(1, 11), (2, 20)]
    engine.publish(DAYS[2], {3: 30}, columns=", note varchar")
    assert _ask(engine, _READS) == [(3, 30)]
    engine.publisher.rollback(first)
    assert _ask(engine, _READS) == [(1, 10)]
    copy = f"version_{first.replace('-', '_')}"
    database.execute("create schema raw_northwind; create table raw_northwind.orders as select 1 as order_id")
    database.execute("create schema staging; create table staging.orders as select 1 as order_id")
    for closed in (
        "raw_northwind.orders",
        "staging.orders",
        "sales__build.orders",
        "raw_ops.build_mark",
        f'{copy}."sales.orders"',
        "public.published_versions",
    ):
        with pytest.raises(BadRequest, match="permission denied"):
            _ask(engine, f"select * from {closed}")


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("insert into sales.orders values (9, 9)", "syntax error"),
        ("delete from sales.orders", "syntax error"),
        ("with gone as (delete from sales.orders returning 1) select * from gone", "data-modifying"),
        ("select 1; select 2", "multiple commands"),
        ("select 1; commit; drop table sales.orders", "multiple commands"),
        ("select nope from sales.orders", "nope"),
        ("select lo_create(0)", "read-only"),
        ("select pg_read_file('/etc/passwd')", "permission denied"),
    ],
)
def test_only_a_question_is_answered(engine: Engine, statement: str, reason: str) -> None:
    engine.publish(DAYS[0], {1: 10})
    with pytest.raises(BadRequest, match=reason):
        _ask(engine, statement)
    with pytest.raises(StepFailed, match="division by zero"):
        _ask(engine, "select 1 / (amount - amount) from sales.orders")
    assert engine.reads() == {1: 10}


def test_a_tool_logs_in_with_the_password_and_can_only_read(engine, database, role, monkeypatch, capsys) -> None:
    monkeypatch.setenv("TRADEWINDS_READER_PASSWORD", _PASSWORD)
    engine.publish(DAYS[0], {1: 10})
    parts = urlsplit(database.url)
    place = {"host": parts.hostname, "port": parts.port, "dbname": parts.path[1:], "user": role}
    with psycopg.connect(**place, password=_PASSWORD, autocommit=True) as tool:
        assert tool.execute("select amount::integer from sales.orders").fetchall() == [(10,)]
        tool.execute("set default_transaction_read_only = off")
        for written in ("delete from sales.orders", "create schema mine", "create table sales.mine (n integer)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                tool.execute(written)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(**place, password="another")
    monkeypatch.setattr(sys, "argv", ["tradewinds", "query", "select current_user", "--format", "json"])
    monkeypatch.setenv("TRADEWINDS_TARGET", "postgres")
    monkeypatch.setenv("TRADEWINDS_HOME", str(engine.home.root))
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, json.loads(capsys.readouterr().out)) == (0, [{"current_user": role}])


def test_a_query_of_an_agent_needs_the_login_and_ends_in_time(engine, database, monkeypatch) -> None:
    engine.publish(DAYS[0], {1: 10})
    database.execute("create schema raw_people; create table raw_people.employees as select 'Ada' as name")
    # In a session of the warehouse's user, a query can take that user's rights back.
    leaves = """
        select word
        from (select set_config('role', 'none', true) as role) as taken,
            ts_stat($$select to_tsvector('simple', name) from raw_people.employees where '$$ || role || $$' = 'none'$$)
    """
    assert _ask(engine, leaves) == [("ada",)]
    with pytest.raises(Refused, match="TRADEWINDS_READER_PASSWORD"):
        _ask(engine, "select 1", Limits(5))
    monkeypatch.setenv("TRADEWINDS_READER_PASSWORD", _PASSWORD)
    engine.publish(DAYS[1], {1: 11})
    assert _ask(engine, _READS, Limits(5)) == [(1, 11)]
    with pytest.raises(BadRequest, match="permission denied"):
        _ask(engine, leaves, Limits(5))
    endless = "from generate_series(1, 1000000000) as a, generate_series(1, 1000000000) as b"
    for statement in (f"select count(*) {endless}", f"select set_config('statement_timeout', '0', true) {endless}"):
        with pytest.raises(StepFailed, match=r"longer than 0\.3 s"):
            _ask(engine, statement, Limits(0.3))


def test_the_writer_is_no_reader(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWINDS_READER_ROLE", os.environ["TRADEWINDS_POSTGRES_USER"])
    with pytest.raises(BadRequest, match="TRADEWINDS_READER_ROLE"):
        engine.publish(DAYS[0], {1: 10})


def test_who_may_not_make_roles_publishes_and_is_told_what_is_missing(
    engine: Engine, database: Database, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = f"keeper_{uuid4().hex}"
    database.execute(f"create role {keeper} login password 'kept'")
    name = urlsplit(database.url).path[1:]
    database.execute(f"grant create on database {name} to {keeper}; grant create on schema public to {keeper}")
    database.execute("create schema if not exists raw_ops")
    try:
        engine.build(DAYS[0], {1: 10})
        owned = "alter schema {0} owner to {1}"
        for schema in ("raw_ops", "sales__build", "ops__build"):
            database.execute(owned.format(schema, keeper))
        for table in ("raw_ops.build_mark", "sales__build.orders", "sales__build.lines", "ops__build.steps"):
            database.execute(f"alter table {table} owner to {keeper}")
        monkeypatch.setenv("TRADEWINDS_POSTGRES_USER", keeper)
        monkeypatch.setenv("TRADEWINDS_POSTGRES_PASSWORD", "kept")
        engine.publisher.publish(DAYS[0], MARTS)
        with pytest.raises(Refused, match="missing") as refused:
            _ask(engine, _READS)
        assert f"create role {role}" in refused.value.command.replace('"', "")
        # What it says, done by who may; the next publish grants.
        database.execute(f"create role {role}; grant {role} to {keeper}")
        engine.publisher.publish(DAYS[0], MARTS)
        assert _ask(engine, _READS) == [(1, 10)]
    finally:
        database.execute(f"drop owned by {keeper} cascade")
        database.execute(f"drop role {keeper}")
