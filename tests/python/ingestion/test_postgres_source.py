"""Any Postgres schema lands with its types, in one snapshot; values that Parquet readers disagree on are rejected."""

import json
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pyarrow as pa
import pytest

from ingestion.errors import StepFailed
from ingestion.landing import Totals
from ingestion.sources.postgres import open_postgres
from ingestion.totals import ControlTotals

LAST = datetime(9999, 12, 31, 23, 59, 59, 999999)  # noqa: DTZ001
# Column name → type in Postgres, a value in SQL, the Arrow type it lands as, and the value it lands as.
TYPES = {
    "int2": ("smallint", "-32768", pa.int16(), -32768),
    "int4": ("integer", "2147483647", pa.int32(), 2147483647),
    "int8": ("bigint", "-9223372036854775808", pa.int64(), -(2**63)),
    "float4": ("real", "0.1", pa.float32(), pytest.approx(0.1, rel=1e-7)),
    "float8": ("double precision", "1e308", pa.float64(), 1e308),
    "bool": ("boolean", "true", pa.bool_(), True),
    "text": ("text", "E'Zürich\\n\\t\"'", pa.string(), 'Zürich\n\t"'),
    "varchar": ("varchar(10)", "'x  '", pa.string(), "x  "),
    "bpchar": ("character(5)", "'ab'", pa.string(), "ab   "),
    "bytea": ("bytea", r"'\x00ff5c78'", pa.binary(), b"\x00\xff\\x"),
    "date": ("date", "'0001-01-01'", pa.date32(), date(1, 1, 1)),
    "time": ("time", "'23:59:59.999999'", pa.time64("us"), time(23, 59, 59, 999999)),
    "timestamp": ("timestamp", "'9999-12-31 23:59:59.999999'", pa.timestamp("us"), LAST),
    "timestamptz": (
        "timestamptz",
        "'2021-06-01 12:00:00+02'",
        pa.timestamp("us", "UTC"),
        datetime(2021, 6, 1, 10, tzinfo=UTC),
    ),
    "numeric_sized": ("numeric(12, 2)", "-1234567890.12", pa.decimal128(12, 2), Decimal("-1234567890.12")),
    "numeric_whole": ("numeric(38)", "9" * 38, pa.decimal128(38, 0), Decimal("9" * 38)),
    "numeric_unsized": ("numeric", "12345678901234567890.5", pa.decimal128(38, 18), Decimal("12345678901234567890.5")),
    "numeric_too_wide": ("numeric(50, 3)", "1.125", pa.decimal128(38, 18), Decimal("1.125")),
    "numeric_rounded": ("numeric(3, -2)", "12345", pa.decimal128(38, 18), Decimal(12300)),
    "numeric_small": ("numeric(3, 5)", "0.00123", pa.decimal128(38, 18), Decimal("0.00123")),
    "oid": ("oid", "4294967295", pa.int64(), 4294967295),
    "uuid": (
        "uuid",
        "'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        pa.string(),
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    ),
    "json": ("json", """'{"b":  1}'""", pa.string(), '{"b":  1}'),
    "jsonb": ("jsonb", """'{"b":  1}'""", pa.string(), '{"b": 1}'),
    "array": ("integer[]", "array[1, null, 3]", pa.string(), "{1,NULL,3}"),
    "enum": ("mood", "'so so'", pa.string(), "so so"),
    "interval": ("interval", "'1 day 2 hours'", pa.string(), "1 day 02:00:00"),
    "inet": ("inet", "'10.0.0.1/8'", pa.string(), "10.0.0.1/8"),
    "timetz": ("timetz", "'10:00+02'", pa.string(), "10:00:00+02"),
    "char": ('"char"', "'c'", pa.string(), "c"),
    "name": ("name", "'identifier'", pa.string(), "identifier"),
    "bits": ("bit(3)", "'101'", pa.string(), "101"),
    "range": ("int4range", "'[1,5)'", pa.string(), "[1,5)"),
    "domain": ("positive", "7", pa.int32(), 7),
    "domain_of_domain": ("very_positive", "8", pa.int32(), 8),
    "domain_sized": ("price", "1.25", pa.decimal128(10, 2), Decimal("1.25")),
    "domain_of_sized": ("low_price", "2.50", pa.decimal128(10, 2), Decimal("2.50")),
    "domain_of_enum": ("good_mood", "'fine'", pa.string(), "fine"),
    "domain_of_array": ("numbers", "array[1, 2]", pa.string(), "{1,2}"),
}
MAKE_TYPES = """
create type mood as enum ('so so', 'fine');
create domain positive as integer check (value > 0);
create domain very_positive as positive check (value > 1);
create domain price as numeric(10, 2);
create domain low_price as price check (value < 100);
create domain good_mood as mood check (value <> 'so so');
create domain numbers as integer[];
"""


@pytest.fixture
def database(new_database):
    return new_database()


def reading_of(database, schema="public", **which):
    return open_postgres(database.url, schema=schema, **which)


def land(database, **where) -> dict[str, SimpleNamespace]:
    """Read every table the way the extract does."""
    landed = {}
    with reading_of(database, **where) as reading:
        for table, schema in reading.schemas().items():
            batches = list(reading.read(table))
            assert all(batch.schema == schema for batch in batches)
            rows = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
            landed[table] = SimpleNamespace(
                schema=schema,
                columns=schema.names,
                rows=rows,
                rejects=reading.rejects(table),
            )
    return landed


def failure_of(database, **where) -> str:
    with pytest.raises(StepFailed) as raised:
        land(database, **where)
    return str(raised.value)


def test_every_type_lands_as_declared_and_null_stays_null(database):
    database.execute(MAKE_TYPES)
    database.execute(f"create table t ({', '.join(f'c_{name} {spec[0]}' for name, spec in TYPES.items())})")
    database.execute(f"insert into t values ({', '.join(spec[1] for spec in TYPES.values())})")
    database.execute("insert into t default values")
    landed = land(database)["t"]
    assert landed.rejects == []
    assert dict(zip(landed.columns, landed.schema.types, strict=True)) == {
        f"c_{name}": spec[2] for name, spec in TYPES.items()
    }
    values, nulls = landed.rows
    assert dict(zip(TYPES, values, strict=True)) == {name: spec[3] for name, spec in TYPES.items()}
    assert nulls == (None,) * len(TYPES)


def test_money_lands_as_a_number_with_its_totals(database):
    database.execute("create table t (id integer, price money, prices money[], day date)")
    database.execute("insert into t values (1, 1234.5, array[1.5::money, null], null), (2, null, null, 'infinity')")
    database.execute("insert into t values (3, -92233720368547758.08, null, null)")
    with reading_of(database, control_totals={"t": ControlTotals("id", ("price",))}) as reading:
        (rows,) = (batch.to_pylist() for batch in reading.read("t"))
        assert [(row["price"], row["prices"]) for row in rows] == [
            (Decimal("1234.5"), "{1.50,NULL}"),
            (Decimal("-92233720368547758.08"), None),
        ]
        assert reading.schemas()["t"].field("price").type == pa.decimal128(38, 18)
        assert reading.totals("t") == Totals("4", "1234.5000")  # money beyond 1e15 is left out everywhere
        assert [json.loads(reject["raw_text"])["id"] for reject in reading.rejects("t")] == [2]


def test_a_row_whose_text_is_no_utf_8_is_rejected(server):
    name = f"unencoded_{uuid4().hex}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(
            f"create database {name} encoding 'SQL_ASCII' locale_provider libc locale 'C' template template0"
        )
        try:
            database = SimpleNamespace(url=server.url(name))
            with psycopg.connect(database.url, autocommit=True, client_encoding="SQL_ASCII") as bytes_of_any_kind:
                bytes_of_any_kind.execute("create table t (id integer, name text, tags text[], day date)")
                good = "insert into t values (1, 'Zürich 🌍 \uffff', '{é}', '2021-01-01')"
                bytes_of_any_kind.execute(good.encode())
                bytes_of_any_kind.execute("insert into t values (2, E'Taquer\\xeda', null, 'infinity')")
                for number, spelt in enumerate((r"\xc0\x80", r"\xed\xa0\x80", r"\xf4\x90\x80\x80", r"\xe2\x82"), 3):
                    bytes_of_any_kind.execute(f"insert into t values ({number}, null, array[E'{spelt}'], null)")
            landed = land(database)["t"]
        finally:
            connection.execute(f"drop database {name} with (force)")
    assert landed.rows == [(1, "Zürich 🌍 \uffff", "{é}", date(2021, 1, 1))]
    first, *others = sorted(landed.rejects, key=lambda reject: reject["raw_text"])
    assert (first["rule"], "Taquer\\xeda" in first["raw_text"]) == ("out of range: day; not UTF-8: name", True)
    assert [reject["rule"] for reject in others] == ["not UTF-8: tags"] * 4


def test_a_view_is_read_if_it_is_named(database):
    database.execute("create table orders_base (id integer); insert into orders_base values (7)")
    database.execute("create view orders as select id from orders_base; create materialized view kept as table orders")
    with reading_of(database, views=["orders", "nope"], exclude=["other"]) as reading:
        assert sorted(reading.schemas()) == ["orders", "orders_base"]
        assert reading.unread == {"kept": "view"}
        assert reading.unknown == ["other", "nope"]
        assert [batch.to_pylist() for batch in reading.read("orders")] == [[{"id": 7}]]
    assert set(land(database, only=["kept"])) == {"kept"}


def test_floats_may_be_infinite_or_no_number(database):
    database.execute("create table t (a real, b double precision)")
    database.execute("insert into t values ('NaN', 'NaN'), ('Infinity', '-Infinity'), ('-0', 5e-324)")
    landed = land(database)["t"]
    assert landed.rejects == []
    nan, infinite, small = landed.rows
    assert [math.isnan(value) for value in nan] == [True, True]
    assert infinite == (math.inf, -math.inf)
    assert small == (0.0, 5e-324)
    assert math.copysign(1, small[0]) == -1


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("date", ["0001-01-01", "9999-12-31"], ["infinity", "-infinity", "0001-12-31 BC", "10000-01-01"]),
        (
            "timestamp",
            ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"],
            ["infinity", "-infinity", "0044-03-15 12:00:00 BC", "10000-01-01 00:00:00"],
        ),
        ("timestamptz", ["0001-01-02 00:00:00+00"], ["infinity", "-infinity", "0001-12-31 00:00:00+00 BC"]),
        ("time", ["00:00", "23:59:59.999999"], ["24:00"]),
        (
            "numeric",
            ["99999999999999999999.999999999999999999", "-1e-18", "0"],
            ["NaN", "Infinity", "-Infinity", "1e20", "-1e20", "1e1000", "1e-19"],
        ),
        ("numeric(12, 2)", ["-9999999999.99"], ["NaN"]),
        ("numeric(50, 3)", ["99999999999999999999.999"], ["NaN", "100000000000000000000.000"]),
    ],
)
def test_values_no_reader_agrees_on_are_rejected_and_the_rest_lands(database, type_, good, bad):
    database.execute(f"create table t (id integer, value {type_}, other text)")
    for number, value in enumerate([*good, *bad]):
        database.execute(f"insert into t values ({number}, '{value}', 'row {number}')")
    database.execute("insert into t values (-1, null, 'null')")
    landed = land(database)["t"]
    assert sorted(row[0] for row in landed.rows) == [-1, *range(len(good))]
    assert {reject["rule"] for reject in landed.rejects} == {"out of range: value"}
    kept = {json.loads(reject["raw_text"], parse_float=str)["id"] for reject in landed.rejects}
    assert kept == set(range(len(good), len(good) + len(bad)))
    expected = database.query(f"select row_to_json(t)::text from t where id >= {len(good)} order by id")
    assert sorted(reject["raw_text"] for reject in landed.rejects) == sorted(text for (text,) in expected)
    assert {(reject["table"], reject["file"], reject["line_number"]) for reject in landed.rejects} == {
        ("t", None, None)
    }


def test_a_reject_names_every_column_at_fault(database):
    database.execute('create table t (whole_row text, day date, "odd ""name""" numeric, ok date)')
    database.execute("insert into t values ('x', 'infinity', 'NaN', '2021-01-01'), ('y', '2021-01-01', 'NaN', null)")
    database.execute("insert into t values ('z', null, 1, null)")
    landed = land(database)["t"]
    assert landed.rows == [("z", None, Decimal(1), None)]
    assert [reject["rule"] for reject in landed.rejects] == [
        'out of range: day, odd "name"',
        'out of range: odd "name"',
    ]
    # The whole row, though a column is called like what the query calls it.
    assert json.loads(landed.rejects[0]["raw_text"]) == {
        "whole_row": "x",
        "day": "infinity",
        'odd "name"': "NaN",
        "ok": "2021-01-01",
    }


def test_names_land_to_the_letter(database):
    names = [
        "select",
        "Mixed Case",
        "a.b",
        "é",
        'quo"ted',
        "it's",
        "$1",
        "%s",
        "?",
        "whole_row",
        "order",
        " x ",
        "a\\b",
    ]
    table = 'Order "Details" für *[x]?'
    quoted = ", ".join('"' + name.replace('"', '""') + '" integer' for name in names)
    database.execute(f'create table "{table.replace(chr(34), chr(34) * 2)}" ({quoted})')
    values = ", ".join(map(str, range(len(names))))
    database.execute(f'insert into "{table.replace(chr(34), chr(34) * 2)}" values ({values})')
    database.execute('create table "select" ("from" date)')
    database.execute("insert into \"select\" values ('infinity')")
    landed = land(database)
    assert set(landed) == {table, "select"}
    assert landed[table].columns == names
    assert landed[table].rows == [tuple(range(len(names)))]
    assert [reject["raw_text"] for reject in landed["select"].rejects] == ['{"from":"infinity"}']


def test_dropped_columns_are_gone_and_generated_ones_are_there(database):
    database.execute("create table t (a integer, b text, c integer generated always as (a * 2) stored)")
    database.execute("insert into t values (1, 'x')")
    database.execute("alter table t drop column b")
    landed = land(database)["t"]
    assert (landed.columns, landed.rows) == (["a", "c"], [(1, 2)])


def test_an_empty_table_has_its_columns(database):
    database.execute("create table t (a smallint, b numeric(5, 2), c date)")
    landed = land(database)["t"]
    assert landed.schema == pa.schema([("a", pa.int16()), ("b", pa.decimal128(5, 2)), ("c", pa.date32())])
    assert (landed.rows, landed.rejects) == ([], [])


def test_a_partitioned_table_is_read_once_and_views_are_not(database):
    database.execute("create table sales (id integer, day date) partition by range (day)")
    for year in (2020, 2021):
        database.execute(
            f"create table sales_{year} partition of sales for values from ('{year}-01-01') to ('{year + 1}-01-01')"
        )
    database.execute("insert into sales values (1, '2020-05-05'), (2, '2021-05-05'), (3, '2021-06-06')")
    database.execute("create view a_view as select * from sales")
    database.execute("create materialized view a_materialized_view as select * from sales")
    database.execute("create sequence a_sequence")
    database.execute("create index an_index on sales (id)")
    landed = land(database)
    assert list(landed) == ["sales"]
    assert sorted(row[0] for row in landed["sales"].rows) == [1, 2, 3]


def test_only_the_tables_of_the_schema_that_are_not_excluded(database):
    database.execute('create schema "Other Schema"')
    for name in ("public.a", "public.b", "public.order_details", '"Other Schema".a', '"Other Schema".c'):
        database.execute(f"create table {name} (x integer)")
        database.execute(f"insert into {name} values ({len(name)})")
    assert sorted(land(database)) == ["a", "b", "order_details"]
    assert sorted(land(database, exclude=["order_details", "b", "unknown"])) == ["a"]
    assert sorted(land(database, only=["b", "a", "unknown"])) == ["a", "b"]
    assert sorted(land(database, only=["a", "b"], exclude=["a"])) == ["b"]
    assert land(database, only=["unknown"]) == {}
    other = land(database, schema="Other Schema")
    assert {table: landed.rows for table, landed in other.items()} == {"a": [(16,)], "c": [(16,)]}


def test_a_schema_without_tables_stops_the_extract(database):
    assert failure_of(database) == "schema public of the database has no tables that can be read"
    assert failure_of(database, schema="no such") == "schema no such of the database has no tables that can be read"
    database.execute("create table a (x integer)")
    assert "has no tables" in failure_of(database, exclude=["a"])


def test_all_tables_are_read_in_one_snapshot(database):
    database.execute("create table orders (id integer primary key)")
    database.execute("create table lines (order_id integer references orders, day date)")
    database.execute("insert into orders select generate_series(1, 10)")
    database.execute("insert into lines select generate_series(1, 10), '2021-01-01'")

    def write(number: int) -> None:
        with psycopg.connect(database.url) as connection:
            connection.execute(f"insert into orders values ({number})")
            connection.execute(f"insert into lines values ({number}, 'infinity')")
            connection.execute("delete from lines where order_id = 1")

    with reading_of(database) as reading:
        write(11)  # the snapshot is taken before the first table is read
        lines = [row["order_id"] for batch in reading.read("lines") for row in batch.to_pylist()]
        write(12)
        orders = [row["id"] for batch in reading.read("orders") for row in batch.to_pylist()]
        write(13)
        again = [row["order_id"] for batch in reading.read("lines") for row in batch.to_pylist()]
        assert reading.rejects("lines") == []
    assert lines == orders == again == list(range(1, 11))

    after = land(database)
    assert [row[0] for row in after["orders"].rows] == list(range(1, 14))
    assert len(after["lines"].rejects) == 3


def test_a_large_table_streams_in_batches(database):
    database.execute("create table t as select i, repeat('x', 100) as text from generate_series(1, 300000) as i")
    with reading_of(database) as reading:
        sizes = [(batch.num_rows, batch.nbytes, sum(batch["i"].to_pylist())) for batch in reading.read("t")]
    assert len(sizes) > 1
    assert max(size for _, size, _ in sizes) < 32 * 1024 * 1024
    assert sum(rows for rows, _, _ in sizes) == 300_000
    assert sum(total for _, _, total in sizes) == 300_000 * 300_001 // 2


@pytest.fixture
def reader(database):
    """A role that may log in and read nothing but the table `open`."""
    role = f"reader_{database.url.rpartition('/')[2]}"
    database.execute("create table open (a integer); create table closed (a integer, day date)")
    database.execute(f"create role {role} login password 'a-secret'; grant select on open to {role}")
    _, _, server = database.url.partition("@")
    yield SimpleNamespace(url=f"postgresql://{role}:a-secret@{server}", name=role)
    database.execute(f"revoke all on open from {role}; drop role {role}")


def test_a_table_that_may_not_be_read_is_one_clear_line(database, reader):
    message = failure_of(reader)
    assert message.startswith("table closed: ")
    assert message.endswith("permission denied for table closed")
    assert "select" not in message
    assert list(land(reader, exclude=["closed"])) == ["open"]
    refused = pytest.raises(StepFailed, match=r"^the database refused: .* permission denied for table closed$")
    with refused, reading_of(reader) as reading:
        reading.rejects("closed")


def test_no_setting_of_the_database_or_the_url_changes_what_lands(database):
    database.execute(
        "create table t (name text, at timestamptz[], took interval, bytes bytea[], day date[], during tstzrange)"
    )
    database.execute(
        "insert into t values ('Taquería', array['2021-01-01 00:00+00'::timestamptz], '1 day 2 hours', "
        "array['\\xdead'::bytea], array['2021-03-04'::date], '[2021-01-01 00:00+00,2021-02-01 00:00+00)')"
    )
    as_usual = land(database)["t"].rows
    assert as_usual == [
        (
            "Taquería",
            '{"2021-01-01 00:00:00+00"}',
            "1 day 02:00:00",
            '{"\\\\xdead"}',
            "{2021-03-04}",
            '["2021-01-01 00:00:00+00","2021-02-01 00:00:00+00")',
        )
    ]
    name = database.url.rpartition("/")[2]
    for setting in (
        "client_encoding to latin1",
        "datestyle to 'SQL, DMY'",
        "timezone to 'Asia/Kolkata'",
        "intervalstyle to iso_8601",
        "bytea_output to escape",
    ):
        database.execute(f"alter database {name} set {setting}")
    assert land(database)["t"].rows == as_usual
    options = "options=-c%20timezone%3DAsia/Tokyo%20-c%20search_path%3Delsewhere"
    url = f"{database.url}?client_encoding=latin1&{options}"
    with open_postgres(url, schema="public") as reading:
        assert [tuple(row.values()) for batch in reading.read("t") for row in batch.to_pylist()] == as_usual
        assert reading.fetch("select current_setting('search_path')") == [("elsewhere",)]  # other options stay


def test_rows_that_row_security_would_hide_stop_the_extract(database, reader):
    database.execute("insert into open values (1), (2); alter table open enable row level security")
    database.execute(f"create policy few on open to {reader.name} using (a = 1)")
    message = failure_of(reader, exclude=["closed"])
    assert message.startswith("table open: ")
    assert 'row-level security policy for table "open"; let the role see all rows' in message
    assert land(database, exclude=["closed"])["open"].rows == [(1,), (2,)]  # the owner sees all
    database.execute(f"drop policy few on open; alter role {reader.name} bypassrls")
    assert land(reader, exclude=["closed"])["open"].rows == [(1,), (2,)]


def test_a_database_that_cannot_be_reached_is_one_clear_line(database, reader):
    _, _, server = reader.url.partition("@")
    host = server.partition(":")[0]
    wrong = {
        f"postgresql://{reader.name}:not-the-secret@{server}": "password authentication failed",
        f"postgresql://{reader.name}:a-secret@{server.rpartition('/')[0]}/nowhere": 'database "nowhere" does not exist',
        f"postgresql://{reader.name}:a-secret@{host}:1/postgres?connect_timeout=2": "Connection refused",
        f"postgresql://{reader.name}:a-secret@no-such-host.invalid/db?connect_timeout=2": "no-such-host.invalid",
    }
    for url, reason in wrong.items():
        message = failure_of(SimpleNamespace(url=url))
        assert message.startswith("the database can't be reached: ")
        assert reason in message
        assert "\n" not in message
        assert "secret" not in message


def test_a_server_that_goes_away_stops_the_extract(database):
    database.execute("create table t (a integer)")
    with reading_of(database) as reading:
        database.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where pid <> pg_backend_pid() and datname = current_database()"
        )
        with pytest.raises(StepFailed, match=r"^table t: .*terminat"):
            list(reading.read("t"))


def test_a_table_that_is_dropped_meanwhile_stops_the_extract(database):
    database.execute("create table a (x integer); create table b (x integer)")
    with reading_of(database) as reading:
        list(reading.read("a"))
        database.execute("drop table b")
        with pytest.raises(StepFailed, match=r'^table b: .*relation "public\.b" does not exist'):
            list(reading.read("b"))
