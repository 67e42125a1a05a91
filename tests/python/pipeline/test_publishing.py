"""Publishing through its interface, on both engines: small marts, many versions, crashes between."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import duckdb
import fsspec
import psycopg
import pyarrow as pa
import pytest

from ingestion.digest import file_sha256
from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.settings import Home
from ingestion.stores import disk as on_disk
from ingestion.stores import open_store
from pipeline.dbt.project import Column, Mart
from pipeline.publishing import Publisher, duckdb_marts, open_publisher
from tests.python.sandbox import Database, warehouse_settings

ORDERS = Mart("sales.orders", ("order_id",), ("amount",), is_keyed=True)
LINES = Mart("sales.lines", ("order_id", "line"))
STEPS = Mart("ops.steps", ("step",))
MARTS = [STEPS, LINES, ORDERS]
DAYS = ["2021-01-01", "2021-01-02", "2021-01-03", "2021-01-04"]

Rows = dict[int, int]


class Engine:
    """A warehouse with three small marts, and how a reader sees them."""

    def __init__(self, target: str, home: Home, execute: Callable[[str], list[tuple]], suffix: str):
        self.publisher: Publisher = open_publisher(target, home)
        self.home = home
        self.store = open_store(home.published, home.work)
        self.execute = execute
        self.suffix = suffix
        self.is_postgres = bool(suffix)

    def build(self, day: str, amounts: Rows, *, columns: str = "", steps: str = "one") -> None:
        """Stand for a build of a day: one order and one line for each amount."""
        self.execute("create schema if not exists raw_ops")
        self.execute("create table if not exists raw_ops.build_mark (run_date date, state varchar, id varchar)")
        self.execute("delete from raw_ops.build_mark")
        self.execute(f"insert into raw_ops.build_mark values ('{day}', 'built', '{uuid4()}')")
        for mart, shape in {"orders": "amount decimal(19, 4)", "lines": "line integer"}.items():
            name = f"sales{self.suffix}.{mart}"
            self.execute(f"create schema if not exists sales{self.suffix}")
            self.execute(f"drop table if exists {name} cascade")
            self.execute(f"create table {name} (order_id integer primary key, {shape}{columns})")
            for order, amount in amounts.items():
                self.execute(f"insert into {name} (order_id, {shape.split()[0]}) values ({order}, {amount})")
        self.execute(f"create schema if not exists ops{self.suffix}")
        self.execute(f"drop table if exists ops{self.suffix}.steps")
        self.execute(f"create table ops{self.suffix}.steps as select '{steps}' as step")

    def publish(self, day: str, amounts: Rows, **options: str) -> str:
        self.build(day, amounts, **options)
        return self.publisher.publish(day, MARTS)[0].name

    def reads(self) -> Rows:
        """Return what a reader of both marts sees: the amounts by order, the same from each."""
        query = "select order_id, amount, line from sales.orders inner join sales.lines using (order_id)"
        seen = self.read(query)
        assert all(amount == line for _, amount, line in seen)
        return {order: int(amount) for order, amount, _ in seen}

    def latest(self) -> dict[str, str]:
        return json.loads(self.store.read("latest.json"))

    def read(self, query: str) -> list[tuple]:
        if self.suffix:
            return self.execute(query)
        with duckdb.connect(self.publisher.reader_connection()["path"], read_only=True) as connection:
            return connection.execute(query).fetchall()


@contextmanager
def on_duckdb(home: Home) -> Iterator[Engine]:
    home.warehouse.mkdir(parents=True)

    def execute(statement: str) -> list[tuple]:
        with duckdb.connect(str(home.warehouse / "tradewinds.duckdb")) as connection:
            return connection.execute(statement).fetchall()

    yield Engine("duckdb", home, execute, "")


@contextmanager
def on_postgres(home: Home, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    for name, value in warehouse_settings(Database(url)).items():
        monkeypatch.setenv(name, value)

    def execute(statement: str) -> list[tuple]:
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    yield Engine("postgres", home, execute, "__build")


@pytest.fixture(params=["duckdb", "duckdb, in a bucket", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    home = Home(tmp_path)
    if "bucket" in request.param:
        server = request.getfixturevalue("s3_server")
        monkeypatch.setitem(fsspec.config.conf, "s3", server.options)
        monkeypatch.setenv("TRADEWINDS_PUBLISHED_URL", server.new_place())
    if "duckdb" in request.param:
        context = on_duckdb(home)
    else:
        context = on_postgres(home, request.getfixturevalue("new_database")().url, monkeypatch)
    with context as found:
        yield found


def test_readers_see_the_last_version_and_rollback_goes_back_through_them(engine: Engine) -> None:
    versions = [engine.publish(day, {1: number}) for number, day in enumerate(DAYS)]
    assert engine.reads() == {1: 3}
    assert engine.publisher.rollback().name == versions[2]
    assert engine.reads() == {1: 2}
    assert engine.publisher.rollback(versions[0]).name == versions[0]
    assert engine.reads() == {1: 0}
    assert engine.publisher.current().name == versions[0]
    with pytest.raises(Refused, match="no earlier version"):
        engine.publisher.rollback()
    assert engine.publish(DAYS[3], {1: 3}) == versions[3]
    assert engine.reads() == {1: 3}


_HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def test_a_client_that_holds_the_file_for_writing_is_named_and_stops_no_publish(tmp_path: Path) -> None:
    with on_duckdb(Home(tmp_path)) as engine:
        first = engine.publish(DAYS[0], {1: 1})
        command = [sys.executable, "-c", _HOLD, engine.publisher.place]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            assert client.stdout.readline() == b"held\n"
            asking = (
                lambda: engine.publisher.read(ORDERS, "order_id", 1),
                engine.publisher.relations,
                lambda: engine.publisher.answering("select 1").__enter__(),
            )
            for ask in asking:
                with pytest.raises(StepFailed, match=rf"\(PID {client.pid}\) has .*\.duckdb open for writing; open it"):
                    ask()
            assert engine.publisher.current().name == first
            engine.build(DAYS[1], {1: 2})
            assert [change.describe() for change in engine.publisher.changes([ORDERS])] != [""]
            second = engine.publisher.publish(DAYS[1], MARTS)[0].name
            assert engine.reads() == {1: 2}
            client.stdin.close()
        assert engine.publisher.rollback().name == first != second


def test_rollback_restores_every_row_of_a_changed_set(engine: Engine) -> None:
    engine.publish(DAYS[0], {1: 10, 2: 20})
    engine.publish(DAYS[1], {2: 21, 3: 30})
    assert engine.reads() == {2: 21, 3: 30}
    engine.publisher.rollback()
    assert engine.reads() == {1: 10, 2: 20}


def test_an_unknown_version_is_refused_with_those_that_are_kept(engine: Engine) -> None:
    first = engine.publish(DAYS[0], {1: 1})
    engine.publish(DAYS[1], {1: 2})
    with pytest.raises(Refused, match=first):
        engine.publisher.rollback("2020-01-01-000000000000")
    assert engine.reads() == {1: 2}


def test_the_same_rows_again_are_the_same_version(engine: Engine) -> None:
    first = engine.publish(DAYS[0], {1: 1})
    second = engine.publish(DAYS[1], {1: 2})
    latest = engine.latest()
    # Operations differ with every run, and make no version.
    assert engine.publish(DAYS[1], {1: 2}, steps="two") == second
    assert engine.latest() == latest
    assert engine.publisher.rollback().name == first


def test_versions_have_the_same_name_on_both_engines(tmp_path: Path, new_database, monkeypatch) -> None:
    with on_duckdb(Home(tmp_path / "one")) as one:
        expected = one.publish(DAYS[0], {1: 10, 2: 20})
    with on_postgres(Home(tmp_path / "other"), new_database().url, monkeypatch) as other:
        assert other.publish(DAYS[0], {1: 10, 2: 20}) == expected


def test_only_so_many_versions_are_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWINDS_KEPT_VERSIONS", "2")
    versions = [engine.publish(day, {1: number}) for number, day in enumerate(DAYS)]
    with pytest.raises(Refused, match=versions[2]):
        engine.publisher.rollback(versions[1])
    assert engine.publisher.rollback().name == versions[2]
    with pytest.raises(Refused, match="none is kept"):
        engine.publisher.rollback()


@pytest.mark.parametrize("setting", ["0", "-1", "all", "1.5"])
def test_a_wrong_number_of_versions_is_said_before_anything_is_written(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("TRADEWINDS_KEPT_VERSIONS", setting)
    with pytest.raises(BadRequest, match="TRADEWINDS_KEPT_VERSIONS"):
        engine.publish(DAYS[0], {1: 1})
    assert engine.publisher.current() is None


def test_changes_count_rows_and_totals_against_what_readers_see(engine: Engine) -> None:
    engine.build(DAYS[0], {1: 10, 2: 20})
    first = {change.mart: change for change in engine.publisher.changes(MARTS)}
    assert first["sales.orders"].describe() == "2 added; amount none → 30.0000"
    engine.publisher.publish(DAYS[0], MARTS)
    assert not any(engine.publisher.changes(MARTS))
    engine.build(DAYS[1], {2: 21, 3: 30, 4: 40})
    found = {change.mart: change for change in engine.publisher.changes(MARTS)}
    orders = found["sales.orders"]
    assert (orders.added, orders.removed, orders.changed) == (2, 1, 1)
    assert orders.totals == {"amount": (Decimal(30), Decimal(91))}
    # The line is a part of the key: another line is another row.
    assert found["sales.lines"].describe() == "3 added, 2 removed"
    assert engine.reads() == {1: 10, 2: 20}


def test_a_mart_with_new_columns_is_replaced_and_rolled_back(engine: Engine) -> None:
    engine.publish(DAYS[0], {1: 10})
    engine.build(DAYS[1], {1: 11}, columns=", note varchar")
    (orders,) = (change for change in engine.publisher.changes(MARTS) if change.mart == "sales.orders")
    assert orders.describe() == "1 changed; column note added; amount 10.0000 → 11.0000"
    engine.publisher.publish(DAYS[1], MARTS)
    assert engine.read("select order_id, note from sales.orders") == [(1, None)]
    engine.publisher.rollback()
    assert engine.reads() == {1: 10}
    with pytest.raises((duckdb.Error, psycopg.Error), match="note"):
        engine.read("select note from sales.orders")


def _declared(engine: Engine) -> tuple:
    """Return what a reader's tool lists of the orders: comments, whether amounts may be NULL, and their keys."""
    comments = (
        "select obj_description(attrelid), col_description(attrelid, attnum) from pg_attribute"
        " where attrelid = 'sales.orders'::regclass and attname = 'amount'"
        if engine.is_postgres
        else "select tables.comment, columns.comment from duckdb_tables() as tables"
        " inner join duckdb_columns() as columns using (schema_name, table_name)"
        " where table_name = 'orders' and column_name = 'amount'"
    )
    where = "table_schema = 'sales' and table_name = 'orders' and column_name = 'amount'"
    (nullable,) = engine.read(f"select is_nullable from information_schema.columns where {where}")[0]
    (keys,) = engine.read(f"select count(*) from information_schema.key_column_usage where {where}")[0]
    return (*engine.read(comments)[0], nullable, keys)


def test_what_is_declared_of_a_mart_comes_and_goes_with_its_version(engine: Engine) -> None:
    columns = (Column("order_id"), Column("amount", 'In "dollars", it\'s said.', is_required=True))
    strict = Mart("sales.orders", ("amount",), is_keyed=True, description="One row per order; 'one'.", columns=columns)
    loose = replace(strict, is_keyed=False, description="Orders.", columns=(Column("amount"),))
    engine.build(DAYS[0], {1: 10, 2: 20})
    first = engine.publisher.publish(DAYS[0], [LINES, strict])[0]
    assert _declared(engine) == (strict.description, columns[1].description, "NO", 1)
    if engine.is_postgres:
        engine.execute("create view public.report as select sum(amount) as total from sales.orders")
    # The same rows are the same version, whatever is said of them.
    assert engine.publisher.publish(DAYS[0], [LINES, loose])[0] == first
    assert _declared(engine) == ("Orders.", None, "YES", 0)
    engine.build(DAYS[1], {1: 30, 2: 30})
    engine.publisher.publish(DAYS[1], [LINES, loose])
    engine.build(DAYS[2], {1: 30, 2: 40})
    engine.publisher.publish(DAYS[2], [LINES, strict])
    assert _declared(engine) == (strict.description, columns[1].description, "NO", 1)
    engine.publisher.rollback()
    assert (engine.reads(), _declared(engine)) == ({1: 30, 2: 30}, ("Orders.", None, "YES", 0))
    engine.publisher.rollback()
    assert (engine.reads(), engine.publisher.current()) == ({1: 10, 2: 20}, first)


def test_a_mart_that_is_no_more_leaves_with_its_version(engine: Engine) -> None:
    engine.publish(DAYS[0], {1: 10})
    engine.build(DAYS[1], {1: 10})
    engine.publisher.publish(DAYS[1], [ORDERS])
    with pytest.raises((duckdb.Error, psycopg.Error), match="lines"):
        engine.read("from sales.lines" if "duckdb" in str(type(engine.publisher)) else "select * from sales.lines")
    engine.publisher.rollback()
    assert engine.reads() == {1: 10}


def test_a_damaged_version_is_not_put_before_readers(engine: Engine) -> None:
    first = engine.publish(DAYS[0], {1: 1})
    engine.publish(DAYS[1], {1: 2})
    kept = f"versions/{first}.duckdb"
    if kept in engine.store.names():
        with engine.store.local([kept]) as (file,), engine.store.draft(kept) as draft:
            data = bytearray(file.read_bytes())
            data[len(data) // 2] ^= 1
            draft.write_bytes(data)
            engine.store.put(draft, kept)
    else:
        schema = f"version_{first.replace('-', '_')}"
        engine.read(f'update {schema}."sales.orders" set amount = 7 returning 1')
    with pytest.raises(StepFailed, match="damaged"):
        engine.publisher.rollback()
    assert engine.reads() == {1: 2}


def test_latest_json_says_what_readers_see(engine: Engine) -> None:
    engine.publish(DAYS[0], {1: 1})
    version = engine.publish(DAYS[1], {1: 2})
    latest = engine.latest()
    assert (latest["run_date"], latest["version"]) == (DAYS[1], version)
    assert version == f"{DAYS[1]}-{latest['content_hash'].partition(':')[2][:12]}"
    file = engine.store.latest("tradewinds.duckdb")
    assert latest["sha256"] == (file and file_sha256(file))
    assert latest["published_at"].endswith("+00:00")
    engine.publisher.rollback()
    assert engine.latest()["run_date"] == DAYS[0]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_published_file_and_its_kept_version_are_one_where_they_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def refusing(*_: object) -> None:
        raise PermissionError("no links here")

    if not has_links:
        monkeypatch.setattr(on_disk.os, "link", refusing)
    with on_duckdb(Home(tmp_path)) as engine:
        version = engine.publish(DAYS[0], {1: 1})
        published, kept = (
            Path(engine.store.location(name)) for name in ("tradewinds.duckdb", f"versions/{version}.duckdb")
        )
        assert published.samefile(kept) == has_links
        assert published.read_bytes() == kept.read_bytes()
        assert engine.publish(DAYS[1], {1: 2}) != version
        assert engine.publisher.rollback().name == version
        assert engine.reads() == {1: 1}


def test_doubled_rows_and_rows_without_a_key_are_counted(engine: Engine) -> None:
    marts = [Mart("sales.orders", ("order_id",)), Mart("sales.lines")]

    def build(*rows: tuple[str, str]) -> None:
        engine.build(DAYS[0], {})
        for mart in ("orders", "lines"):
            name = f"sales{engine.suffix}.{mart}"
            engine.execute(f"drop table {name} cascade")
            engine.execute(f"create table {name} (order_id integer, amount decimal(19, 4))")
            for row in rows:
                engine.execute(f"insert into {name} values ({', '.join(row)})")

    build(("1", "1"), ("1", "1"), ("2", "0"), ("null", "5"), ("4", "4"))
    engine.publisher.publish(DAYS[0], marts)
    build(("1", "1"), ("2", "-0.0001"), ("null", "5"), ("null", "null"), ("5", "5"), ("5", "5"))
    found = {change.mart: (change.added, change.removed, change.changed) for change in engine.publisher.changes(marts)}
    assert found == {"sales.orders": (3, 2, 1), "sales.lines": (4, 3, 0)}


def test_a_version_that_begins_with_the_published_one_has_the_built_rows(engine: Engine) -> None:
    far = 10 * 4096
    engine.publish(DAYS[0], {1: 1, 2: 2, far: 3, far + 1: 4})
    changed = {2: 2, far: 5, far + 2: 6}
    engine.build(DAYS[1], changed)
    (orders,) = (change for change in engine.publisher.changes(MARTS) if change.mart == "sales.orders")
    assert (orders.added, orders.removed, orders.changed) == (1, 2, 1)
    engine.publisher.publish(DAYS[1], MARTS)
    assert engine.reads() == changed
    assert engine.publish(DAYS[2], {})
    assert engine.reads() == {}
    engine.publisher.rollback()
    assert engine.reads() == changed


def test_the_published_file_of_an_earlier_release_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with on_duckdb(Home(tmp_path)) as engine:
        with monkeypatch.context() as patched:
            patched.setattr(duckdb_marts, "_CONTENTS", pa.schema(list(duckdb_marts._CONTENTS)[:3]))  # without ranges
            engine.publish(DAYS[0], {1: 1, 2: 2})
        engine.build(DAYS[1], {1: 1, 2: 3})
        changed = {change.mart: change.changed for change in engine.publisher.changes(MARTS) if change}
        assert changed == {"sales.lines": 0, "sales.orders": 1}, "a line has another key"
        engine.publisher.publish(DAYS[1], MARTS)
        assert engine.reads() == {1: 1, 2: 3}


def test_what_someone_wrote_into_the_published_file_is_not_in_the_next_version(tmp_path: Path) -> None:
    with on_duckdb(Home(tmp_path)) as engine:
        engine.publish(DAYS[0], {1: 1, 2: 2})
        with duckdb.connect(engine.store.location("tradewinds.duckdb")) as published:
            published.execute("update ops.steps set step = 'none'")
            published.execute("insert into sales.orders values (9, 9)")
        engine.publish(DAYS[1], {1: 1, 2: 3})
        assert engine.reads() == {1: 1, 2: 3}
        assert engine.read("select step from ops.steps") == [("one",)]
        assert engine.read("select count(*) from sales.orders") == [(2,)]


@pytest.mark.parametrize("cut_off", ["before the file", "after the file"])
@pytest.mark.parametrize("action", ["publish", "rollback"])
def test_a_crash_between_journal_and_file_loses_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut_off: str, action: str
) -> None:
    with on_duckdb(Home(tmp_path)) as engine:
        first, second = (engine.publish(day, {1: number}) for number, day in enumerate(DAYS[:2]))
        engine.build(DAYS[2], {1: 2})
        move = on_disk.move_into_place

        def dying(draft: Path, path: Path) -> None:
            if path.name != "tradewinds.duckdb" or cut_off == "after the file":
                move(draft, path)
            if path.name == "tradewinds.duckdb":
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(on_disk, "move_into_place", dying)
            with pytest.raises(KeyboardInterrupt):
                engine.publisher.publish(DAYS[2], MARTS) if action == "publish" else engine.publisher.rollback()
        expected = {
            ("publish", "before the file"): [first],
            ("publish", "after the file"): [second, first],
            ("rollback", "before the file"): [first],
            ("rollback", "after the file"): [],
        }[action, cut_off]
        for version in expected:
            assert engine.publisher.rollback().name == version
        with pytest.raises(Refused):
            engine.publisher.rollback()


def test_a_second_publisher_ends_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.publish(DAYS[0], {1: 1})
    other = type(engine.publisher)(engine.home)
    ended = []

    def meanwhile(*_: object) -> dict[str, int]:
        with pytest.raises(StepFailed, match="another process is publishing"):
            other.publish(DAYS[0], MARTS)
        ended.append(True)
        raise StepFailed("enough")

    copying = "_copy_marts" if hasattr(engine.publisher, "_copy_marts") else "_copy_built"
    monkeypatch.setattr(engine.publisher, copying, meanwhile)
    with pytest.raises(StepFailed, match="enough"):
        engine.publish(DAYS[0], {1: 2})
    assert ended == [True]


def test_what_people_hang_on_the_marts_stayson_postgres(tmp_path: Path, new_database, monkeypatch) -> None:
    database = new_database()
    with on_postgres(Home(tmp_path), database.url, monkeypatch) as engine:
        key = "alter table sales__build.lines add foreign key (order_id) references sales__build.orders (order_id)"
        for number, day in enumerate(DAYS[:3]):
            engine.build(day, {1: number, number + 2: 5})
            database.execute(key)
            engine.publisher.publish(day, MARTS)
            if number == 0:
                database.execute("create view public.report as select sum(amount) as total from sales.orders")
                database.execute("create schema version_control")
                database.execute("create role r_test_reader")
                database.execute("grant usage on schema sales to r_test_reader")
                database.execute("grant select on sales.orders to r_test_reader")
        try:
            assert database.query("select total from public.report") == [(Decimal(7),)]
            granted = "select has_table_privilege('r_test_reader', 'sales.orders', 'select')"
            assert database.query(granted) == [(True,)]
            # A schema that only sounds like a kept version is nobody's to drop.
            assert database.query("select to_regnamespace('version_control') is not null") == [(True,)]
            keys = "select count(*) from pg_constraint where contype = 'f' and conrelid = 'sales.lines'::regclass"
            assert database.query(keys) == [(1,)]
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                database.execute("insert into sales.lines values (99, 1)")
        finally:
            database.execute("drop owned by r_test_reader")
            database.execute("drop role r_test_reader")


def test_a_build_that_began_meanwhile_is_not_published(tmp_path: Path, new_database, monkeypatch) -> None:
    database = new_database()
    with on_postgres(Home(tmp_path), database.url, monkeypatch) as engine:
        engine.publish(DAYS[0], {1: 1})
        engine.build(DAYS[1], {1: 2})
        database.execute("update raw_ops.build_mark set state = 'building'")
        with pytest.raises(Refused, match="another build has begun"):
            engine.publisher.publish(DAYS[1], MARTS)
        assert engine.reads() == {1: 1}
        assert os.environ["TRADEWINDS_POSTGRES_DATABASE"] in database.url
