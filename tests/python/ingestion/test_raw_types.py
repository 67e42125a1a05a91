"""Raw keeps the source's types, however they change from one day to the next."""

import subprocess
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from ingestion.errors import Refused, StepFailed
from ingestion.extract import extract_source
from ingestion.landing import Landing, Rows, Table, Totals
from ingestion.load import load_sources
from ingestion.settings import Home
from ingestion.sources import SOURCES
from ingestion.warehouse import PIPELINE_STEPS, BuildMark, RawTable
from ingestion.warehouse.duckdb import DuckDBWarehouse

DAY, NEXT, THIRD = "2021-01-01", "2021-01-02", "2021-01-03"

NOON = datetime(2021, 1, 1, 12)  # noqa: DTZ001


class Raw:
    """A warehouse, and tables landed for it."""

    def __init__(self, folder):
        self.folder = folder
        self.warehouse = DuckDBWarehouse(Home(folder))

    def landed(self, name: str, *parts: pa.Table, source: str = "fake", **changes) -> RawTable:
        """Write one Parquet file a part and describe them as the manifest does."""
        files = []
        for part in parts:
            files.append(self.folder / f"{len(list(self.folder.glob('*.parquet')))}.parquet")
            parquet.write_table(part, files[-1])
        described = {
            "rows": sum(part.num_rows for part in parts),
            "rejected_rows": 0,
            "columns": [],
            "files": [],
            "content_hash": repr([part.to_pylist() for part in parts]),
            "run_id": f"run of {files[-1].stem}",
        }
        rows = Rows(files, [file.name for file in files])
        return RawTable(source, "raw_fake", name, rows, parts[0].schema, Table(**described | changes))

    def load(self, run_date: str, *tables: RawTable) -> None:
        self.warehouse.load_day(run_date, ["fake"], list(tables))

    def load_column(self, run_date: str, type_: pa.DataType, *values) -> None:
        """Load one table of one column, `value`, with the rows numbered."""
        table = pa.table({"row": list(range(len(values))), "value": pa.array(values, type_)})
        self.load(run_date, self.landed("t", table))

    def query(self, statement: str) -> list[tuple]:
        with duckdb.connect(str(self.warehouse.path)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(statement).fetchall()

    def types(self, table: str) -> dict[str, str]:
        return {row[0]: row[1] for row in self.query(f"describe raw_fake.{table}")}

    def values(self, cast: str = "value") -> list:
        """The values of all days, oldest first."""
        return [value for (value,) in self.query(f"select {cast} from raw_fake.t order by _run_date, row")]

    def everything(self) -> dict[str, list[tuple]]:
        """All rows of raw and of what is said about them."""
        tables = self.query(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema like 'raw%' and table_schema not like '%\\_\\_versions' escape '\\' order by all"
        )
        return {
            f"{schema}.{table}": self.query(f'select * from {schema}."{table}" order by all')
            for schema, table in tables
        }


@pytest.fixture
def raw(tmp_path) -> Raw:
    return Raw(tmp_path)


def test_every_type_is_kept(raw):
    columns = {
        "a_smallint": (pa.int16(), -32768, "SMALLINT"),
        "an_integer": (pa.int32(), 2147483647, "INTEGER"),
        "a_bigint": (pa.int64(), -(2**63), "BIGINT"),
        "a_real": (pa.float32(), 0.5, "FLOAT"),
        "a_double": (pa.float64(), 1e308, "DOUBLE"),
        "a_boolean": (pa.bool_(), True, "BOOLEAN"),
        "a_text": (pa.string(), "Zürich\n\t\"'\\", "VARCHAR"),
        "a_blob": (pa.binary(), b"\x00\xff\\x00", "BLOB"),
        "a_date": (pa.date32(), date(1, 1, 1), "DATE"),
        "a_time": (pa.time64("us"), time(23, 59, 59, 999999), "TIME"),
        "a_timestamp": (pa.timestamp("us"), NOON, "TIMESTAMP"),
        "a_timestamptz": (
            pa.timestamp("us", "UTC"),
            datetime(2021, 6, 1, 10, tzinfo=UTC),
            "TIMESTAMP WITH TIME ZONE",
        ),
        "a_money": (pa.decimal128(19, 4), Decimal("-123456789012345.6789"), "DECIMAL(19,4)"),
        "a_numeric": (pa.decimal128(38, 18), Decimal("12345678901234567890.000000000000000001"), "DECIMAL(38,18)"),
        "a_number": (pa.decimal128(38, 0), Decimal("9" * 38), "DECIMAL(38,0)"),
    }
    raw.load(
        DAY,
        raw.landed(
            "t", pa.table({name: pa.array([value, None], type_) for name, (type_, value, _) in columns.items()})
        ),
        raw.landed("empty", pa.table({name: pa.array([], type_) for name, (type_, _, _) in columns.items()})),
    )
    for table in ("t", "empty"):
        assert raw.types(table) == {name: held for name, (_, _, held) in columns.items()} | {"_run_date": "DATE"}
    loaded = raw.query(f"select {', '.join(columns)} from raw_fake.t order by a_smallint nulls last")
    assert loaded == [tuple(value for _, value, _ in columns.values()), (None,) * len(columns)]
    assert raw.query("select * from raw_fake.empty") == []


def test_a_real_keeps_its_shortest_text(raw):
    raw.load_column(DAY, pa.float32(), 0.1, 9.65, 32.38)
    assert raw.values("value::varchar") == ["0.1", "9.65", "32.38"]


def test_names_are_kept_to_the_letter(raw):
    names = ["select", "Mixed Case", "a.b", "é", 'quo"ted', "it's", " x ", "$1", "%s", "a\\b"]
    table = 'Order "Details" für *[x]?'
    raw.load(DAY, raw.landed(table, pa.table({name: [number] for number, name in enumerate(names)})))
    raw.load(NEXT, raw.landed(table, pa.table({name: [str(number)] for number, name in enumerate([*names, 'n"ew'])})))
    quoted = '"' + table.replace('"', '""') + '"'
    assert list(raw.types(quoted)) == [*names, 'n"ew', "_run_date"]
    old, new = raw.query(f"select * exclude _run_date from raw_fake.{quoted} order by _run_date")
    assert old == (*map(str, range(len(names))), None)
    assert new == tuple(map(str, range(len(names) + 1)))


MOMENTS = ["2021-01-01 00:00:00", "2021-01-01 12:00:00"]
# One type, another, what holds both, and the text of both days' values.
RETYPED = [
    (pa.int16(), 7, pa.int32(), 70000, "INTEGER", ["7", "70000"]),
    (pa.int32(), 7, pa.int64(), 2**40, "BIGINT", ["7", str(2**40)]),
    (pa.float32(), 0.5, pa.float64(), 1e300, "DOUBLE", ["0.5", "1e+300"]),
    (pa.bool_(), True, pa.int32(), 7, "INTEGER", ["1", "7"]),
    (pa.int64(), 2**62, pa.decimal128(19, 4), Decimal("0.0001"), "DECIMAL(23,4)", [f"{2**62}.0000", "0.0001"]),
    (
        pa.decimal128(10, 2),
        Decimal("1.25"),
        pa.decimal128(19, 4),
        Decimal("0.0001"),
        "DECIMAL(19,4)",
        ["1.2500", "0.0001"],
    ),
    (pa.date32(), date(2021, 1, 1), pa.timestamp("us"), NOON, "TIMESTAMP", MOMENTS),
    (
        pa.timestamp("us"),
        NOON,
        pa.timestamp("us", "UTC"),
        datetime(2021, 1, 1, 13, tzinfo=UTC),
        "TIMESTAMP WITH TIME ZONE",
        ["2021-01-01 12:00:00+00", "2021-01-01 13:00:00+00"],
    ),
    (pa.int32(), 7, pa.string(), "seven", "VARCHAR", ["7", "seven"]),
    # Types that no number, moment or blob holds both of: their text does, to the last digit.
    (pa.int64(), 2**53 + 1, pa.float64(), 0.5, "VARCHAR", [str(2**53 + 1), "0.5"]),
    (pa.int32(), 2**24 + 1, pa.float32(), 0.5, "VARCHAR", [str(2**24 + 1), "0.5"]),
    (pa.float32(), 0.1, pa.decimal128(19, 4), Decimal("12345.6789"), "VARCHAR", ["0.1", "12345.6789"]),
    (
        pa.decimal128(38, 18),
        Decimal("1.5"),
        pa.decimal128(38, 0),
        Decimal("9" * 38),
        "VARCHAR",
        ["1.500000000000000000", "9" * 38],
    ),
    (pa.decimal128(19, 4), Decimal("1.5"), pa.decimal128(38, 0), Decimal("9" * 38), "VARCHAR", ["1.5000", "9" * 38]),
    (pa.int32(), 7, pa.date32(), date(2021, 1, 1), "VARCHAR", ["7", "2021-01-01"]),
    (pa.time64("us"), time(1, 2), pa.date32(), date(2021, 1, 1), "VARCHAR", ["01:02:00", "2021-01-01"]),
    (pa.string(), "a\\b", pa.binary(), b"\x00", "VARCHAR", ["a\\b", "\\x00"]),
    (pa.bool_(), True, pa.string(), "no", "VARCHAR", ["true", "no"]),
    (pa.string(), "12.50", pa.decimal128(19, 4), Decimal("12.5"), "VARCHAR", ["12.50", "12.5000"]),
]


@pytest.mark.parametrize("is_reversed", [False, True])
def test_retyped_columns_hold_both_days_values(raw, is_reversed):
    def day(type_at: int) -> RawTable:
        columns = {
            f"c{number}": pa.array([case[type_at + 1], None], case[type_at]) for number, case in enumerate(RETYPED)
        }
        return raw.landed("t", pa.table(columns))

    days = [(DAY, 0), (NEXT, 2)]
    for run_date, type_at in reversed(days) if is_reversed else days:
        raw.load(run_date, day(type_at))
    raw.load(DAY, day(0))  # and once more, now that all is widened
    types = raw.types("t")
    for number, (one, _, other, _, held, texts) in enumerate(RETYPED):
        column = f"c{number}"
        landed = raw.query(f"select {column}::varchar from raw_fake.t order by _run_date, {column} nulls last")
        assert (types[column], [text for (text,) in landed]) == (held, [texts[0], None, texts[1], None]), (one, other)


def test_the_order_of_loads_does_not_change_raw(tmp_path):
    days = [
        (DAY, pa.table({"a": pa.array([1, 2], pa.int16()), "b": ["x", None]})),
        (NEXT, pa.table({"a": pa.array([70000], pa.int32()), "c": [1.5]})),
        (THIRD, pa.table({"b": ["y"], "a": ["text"]})),
    ]
    for number, order in enumerate((days, days[::-1], [days[1], days[2], days[0]])):
        (tmp_path / str(number)).mkdir()
        raw = Raw(tmp_path / str(number))
        for run_date, table in [*order, order[0]]:
            raw.load(run_date, raw.landed("t", table))
        assert raw.types("t") == {"a": "VARCHAR", "b": "VARCHAR", "c": "DOUBLE", "_run_date": "DATE"}
        assert raw.query("select _run_date::varchar, a, b, c from raw_fake.t order by all") == [
            (DAY, "1", "x", None),
            (DAY, "2", None, None),
            (NEXT, "70000", None, 1.5),
            (THIRD, "text", "y", None),
        ]


def test_new_dropped_and_renamed_columns(raw):
    raw.load(DAY, raw.landed("t", pa.table({"a": [1], "dropped": ["x"], "Name": ["n"]})))
    raw.load(NEXT, raw.landed("t", pa.table({"a": [2], "added": [b"y"], "name": ["m"]})))
    assert raw.query("select _run_date::varchar, a, dropped, added, name from raw_fake.t order by a") == [
        (DAY, 1, "x", None, "n"),
        (NEXT, 2, None, b"y", "m"),  # to DuckDB `Name` is `name`
    ]


def test_a_day_loaded_twice_is_there_once(raw):
    table = pa.table({"a": [1, 2, 2]})
    raw.load(NEXT, raw.landed("t", pa.table({"a": [9]})))
    for _ in range(2):
        raw.load(DAY, raw.landed("t", table.slice(0, 1), table.slice(1)))
        assert raw.query("select _run_date::varchar, a from raw_fake.t order by all") == [
            (DAY, 1),
            (DAY, 2),
            (DAY, 2),
            (NEXT, 9),
        ]
        assert raw.query("select run_date::varchar, table_name, row_count from raw_ops.landed_tables order by all") == [
            (DAY, "t", 3),
            (NEXT, "t", 1),
        ]


def test_a_table_that_is_no_more_has_no_rows_on_the_day(raw):
    raw.load(DAY, raw.landed("t", pa.table({"a": [1]})), raw.landed("gone", pa.table({"a": [1]})))
    raw.load(NEXT, raw.landed("t", pa.table({"a": [1]})), raw.landed("gone", pa.table({"a": [1]})))
    raw.load(DAY, raw.landed("t", pa.table({"a": [1]})))
    assert raw.query("select _run_date::varchar from raw_fake.gone") == [(NEXT,)]


def test_a_source_is_loaded_without_touching_another(raw):
    raw.load(DAY, raw.landed("t", pa.table({"a": [1]})))
    other = raw.landed("lines", pa.table({"b": [1]}), source="other")
    raw.warehouse.load_day(DAY, ["other"], [other])
    raw.load(DAY, raw.landed("t", pa.table({"a": [2]})))
    assert raw.query("select a, b from raw_fake.t, raw_fake.lines") == [(2, 1)]
    runs = raw.warehouse.loaded_runs(DAY)
    assert (sorted(runs), runs["other"]) == (["fake", "other"], other.landed.run_id)
    assert raw.warehouse.loaded_runs(NEXT) == {}
    assert (raw.warehouse.loaded_before(NEXT), raw.warehouse.loaded_before(DAY)) == ({DAY: runs}, {})


def test_a_failed_load_leaves_every_row_as_it_was(raw):
    raw.load(DAY, raw.landed("t", pa.table({"a": [1]})), raw.landed("u", pa.table({"a": [1]})))
    raw.load(NEXT, raw.landed("t", pa.table({"a": [2]})), raw.landed("u", pa.table({"a": [2]})))
    build = raw.query(f"create table raw_ops.build_mark as {_built(NEXT)}")
    assert build
    before, types = raw.everything(), raw.types("t")

    good = raw.landed("t", pa.table({"a": ["widened"]}))
    short = raw.landed("u", pa.table({"a": [3, 4]}), rows=3)
    with pytest.raises(StepFailed, match=r"^table u: 3 rows have landed, but 2 were loaded$"):
        raw.load(DAY, good, short)
    assert (raw.everything(), raw.types("t")) == (before, types)

    not_parquet = raw.landed("u", pa.table({"a": [3]}))
    not_parquet.rows.files[0].write_bytes(b"PAR1 not any more")
    with pytest.raises(StepFailed, match=r"^the warehouse: .*parquet") as raised:
        raw.load(DAY, good, not_parquet)
    assert "\n" not in str(raised.value)
    assert (raw.everything(), raw.types("t")) == (before, types)

    raw.load(DAY, good, raw.landed("u", pa.table({"a": [3]})))
    assert raw.query("select a from raw_fake.t order by _run_date") == [("widened",), ("2",)]


def test_a_warehouse_in_use_is_one_clear_line(raw):
    raw.load(DAY, raw.landed("t", pa.table({"a": [1]})))
    code = "import duckdb, sys, time; held = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, raw.warehouse.path], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StepFailed, match=r"is in use by another process; wait for it to end$"):
            raw.load(DAY, raw.landed("t", pa.table({"a": [2]})))
        with pytest.raises(StepFailed, match="is in use by another process"):
            raw.warehouse.loaded_runs(DAY)
    finally:
        holder.kill()
        holder.communicate()
    assert raw.query("select a from raw_fake.t") == [(1,)]


# What a load says about the marts


def test_a_warehouse_that_is_not_there_says_nothing(raw):
    assert raw.warehouse.loaded_runs(DAY) == {}
    assert raw.warehouse.build_mark() is None
    raw.load(DAY, raw.landed("t", pa.table({"a": [1]})))
    assert raw.warehouse.build_mark() is None


@pytest.mark.parametrize(
    ("run_date", "change", "state"),
    [
        (DAY, {}, "built"),  # the same rows by another run
        (DAY, {"content_hash": "other rows"}, "stale"),
        (DAY, {"rejected_rows": 1}, "stale"),
        (NEXT, {"content_hash": "other rows"}, "stale"),
        (THIRD, {"content_hash": "other rows"}, "built"),  # later than what the marts are of
    ],
)
def test_only_other_content_up_to_the_built_day_makes_the_marts_stale(raw, run_date, change, state):
    for day in (DAY, NEXT, THIRD):
        raw.load(day, raw.landed("t", pa.table({"a": [1]})))
    raw.query(f"create table raw_ops.build_mark as {_built(NEXT)}")
    raw.load(run_date, raw.landed("t", pa.table({"a": [1]}), **change))
    assert raw.warehouse.build_mark() == BuildMark(NEXT, state, "one")


def test_a_new_or_lost_table_makes_the_marts_stale(raw):
    for tables in (["t"], ["t", "u"], ["t"]):
        raw.load(DAY, *(raw.landed(name, pa.table({"a": [1]})) for name in tables))
        if tables != ["t"] or raw.warehouse.build_mark() is not None:
            assert raw.warehouse.build_mark() == BuildMark(DAY, "stale", "one")
        raw.query(f"create or replace table raw_ops.build_mark as {_built(DAY)}")


# From a source to raw


def test_a_postgres_day_is_the_same_in_raw(tmp_path, new_database, monkeypatch):
    database = new_database()
    database.execute(
        "create table t (id smallint, price real, name varchar(10), day date, photo bytea, total numeric(12, 2), "
        "at timestamp, at_zone timestamptz, hour time, tag uuid)"
    )
    database.execute(
        r"insert into t values (1, 0.1, 'é', '2021-01-01', '\x00ff', 1.25, '2021-01-01 10:00:00.000001', "
        "'2021-01-01 10:00:00+02', '10:00', '00000000-0000-0000-0000-000000000001'), "
        "(2, 'NaN', '', '0001-01-01', '', 0, null, null, null, null)"
    )
    database.execute("insert into t (id, day) values (3, 'infinity')")
    database.execute("create table empty (id integer)")
    monkeypatch.setenv("SOURCES__NORTHWIND__CREDENTIALS", database.url)
    home, source = Home(tmp_path), SOURCES["northwind"]
    warehouse = DuckDBWarehouse(home)
    manifest = extract_source(source, DAY, home, accept_drift=True)  # it isn't Northwind
    assert (manifest.tables["t"].rows, manifest.tables["t"].rejected_rows) == (2, 1)
    assert load_sources([source], DAY, home, warehouse) == {"raw_northwind.t": 2, "raw_northwind.empty": 0}

    def in_raw(statement: str) -> list[tuple]:
        with duckdb.connect(str(warehouse.path)) as connection:
            return connection.execute("set TimeZone = 'UTC'").execute(statement).fetchall()

    assert [row[1] for row in in_raw("describe raw_northwind.t")] == [
        *("SMALLINT", "FLOAT", "VARCHAR", "DATE", "BLOB", "DECIMAL(12,2)"),
        *("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIME", "VARCHAR", "DATE"),
    ]
    columns = 'id, name, day, photo, total, "at", at_zone, hour, tag::text'
    expected = database.query(f"select {columns} from t where id < 3 order by id")
    assert in_raw(f"select {columns} from raw_northwind.t order by id") == expected
    assert in_raw("select price::varchar from raw_northwind.t order by id") == [("0.1",), ("nan",)]

    # Damage after the landing: nothing is loaded.
    landing = Landing(home)
    path = Path(landing.location(manifest.tables["t"].files[0].path))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(Refused, match="is damaged"):
        load_sources([source], DAY, home, warehouse)
    with pytest.raises(Refused, match="northwind has not landed"):
        load_sources([source], NEXT, home, warehouse)
    assert in_raw("select count(*) from raw_northwind.t") == [(2,)]


def test_a_warehouse_from_before_there_were_control_totals_takes_the_next_day(raw):
    raw.load(DAY, raw.landed("t", pa.table({"a": [1]})))
    with duckdb.connect(str(raw.warehouse.path)) as connection:
        for column in ("is_sample", "read_count", "source_key_sum", "landing_amount_sum"):
            connection.execute(f"alter table raw_ops.landed_tables drop column {column}")
        connection.execute("drop table raw_ops.rejected_lines")
        connection.execute("drop table raw_ops.pipeline_steps")
    totals = {"source": Totals("6", "1.5000"), "landing": Totals("6", None)}
    raw.load(NEXT, raw.landed("t", pa.table({"a": [1]}), read_rows=1, totals=totals))
    columns = "is_sample, read_count, source_key_sum, source_amount_sum, landing_key_sum, landing_amount_sum"
    assert raw.query(f"select {columns} from raw_ops.landed_tables order by run_date") == [
        (None,) * 6,
        (False, 1, 6, Decimal("1.5"), 6, None),
    ]
    raw.warehouse.record_steps(PIPELINE_STEPS.empty_table())
    assert raw.query("select * from raw_ops.rejected_lines") == raw.query("from raw_ops.pipeline_steps") == []


def _built(day: str) -> str:
    """Return the mark of a whole build as a query."""
    return f"select date '{day}' as run_date, 'built' as state, 'one' as invocation_id"
