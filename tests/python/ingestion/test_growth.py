"""A day lands and loads what has changed since the day before, and is the whole truth all the same."""

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain as chain_
from itertools import pairwise
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
import pytest

from ingestion import sharing
from ingestion.errors import Refused
from ingestion.extract import extract_source
from ingestion.landing import Landing, Manifest
from ingestion.load import load_sources, refuse_unlanded
from ingestion.rejects import read_rejects
from ingestion.settings import Home
from ingestion.sources import SOURCES
from ingestion.warehouse import Warehouse, open_warehouse
from ingestion.warehouse.postgres import warehouse_url
from tests.python.ingestion.test_landing import DAY, NEXT, Source, numbers, parquet_files
from tests.python.sandbox import warehouse_settings

SCHEMA = pa.schema(
    {"id": pa.int64(), "text": pa.string(), "price": pa.decimal128(12, 3), "on": pa.date32(), "file_index_": pa.int16()}
)
Row = tuple


def table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)


def row(random_: random.Random, number: int) -> Row:
    text = random_.choice([None, "é" * random_.randrange(30), str(random_.random())])
    return (number, text, Decimal(random_.randrange(10**9)) / 1000, date(2021, 1, 1) + timedelta(number % 99), None)


def day(number: int) -> str:
    return (date(2021, 1, 1) + timedelta(number)).isoformat()


def chain(random_: random.Random, days: int, rows: int, changes: int) -> list[list[Row]]:
    """Return the rows of each day: some new, some gone, some changed, some twice, some days without a change."""
    content = [row(random_, number) for number in range(rows)]
    found = [list(content)]
    for number in range(1, days):
        for change in range(changes if number % 4 else 0):
            place = random_.randrange(len(content))
            if change % 5 == 0:
                del content[place]
            elif change % 5 == 1:
                content.append(content[place])
            elif change % 5 == 2:
                content.append(row(random_, 10**6 * number + change))
            else:
                content[place] = row(random_, content[place][0])
        random_.shuffle(content)
        found.append(list(content))
    return found


def landed_rows(landing: Landing, run_date: str, name: str = "t") -> Counter[Row]:
    """The rows that a day's manifest stands for."""
    with landing.rows("fake", run_date, landing.manifest("fake", run_date).tables[name]) as rows:
        return Counter(duckdb.connect().execute(f"from {rows.relation()}", rows.parameters).fetchall())


def ask(target: str, warehouse: Warehouse, statement: str) -> list[tuple]:
    """Execute SQL in the warehouse, and return its rows if it has any."""
    if target == "duckdb":
        with duckdb.connect(str(warehouse.path)) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(warehouse_url()) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def run_days(home: Home, days: list[list[Row]], engine: Warehouse | None = None) -> Source:
    """Land each day's rows, load them if there is an engine, and return their source."""
    source = Source({})
    for number, rows in enumerate(days):
        source.tables = {"t": table(rows)}
        extract_source(source, day(number), home)
        if engine:
            load_sources([source], day(number), home, engine)
    return source


def raw_rows(target: str, warehouse: Warehouse) -> dict[str, Counter[Row]]:
    """The rows of raw by day."""
    columns = ", ".join(f'"{name}"' for name in SCHEMA.names)
    rows = ask(target, warehouse, f"select {columns}, _run_date from raw_fake.t")
    found: dict[str, Counter[Row]] = {}
    for *values, run_date in rows:
        found.setdefault(run_date.isoformat(), Counter())[tuple(values)] += 1
    return found


def test_a_day_lands_what_has_changed_and_is_whole(home, landing, monkeypatch):
    monkeypatch.setattr(sharing, "MOST_FILES", 8)
    days = chain(random.Random(1), 17, 2_000, 20)
    for number, rows in enumerate(days):
        manifest = extract_source(Source({"t": table(rows), "same": numbers(1, 2)}), day(number), home)
        assert manifest.tables["t"].rows == len(rows)
    for number, rows in enumerate(days):
        assert landed_rows(landing, day(number)) == Counter(rows), day(number)
    tables = [landing.manifest("fake", day(number)).tables for number in range(17)]
    first = tables[0]["t"].files[0]
    assert {one["same"].files[0].path for one in tables} == {tables[0]["same"].files[0].path}
    # Every fourth day nothing has changed; the others added a few rows to the first day's file.
    assert [one["t"].files for one in tables[4::4]] == [one["t"].files for one in tables[3:-1:4]]
    assert all(one["t"].files[0] == first for one in tables)
    # After eight files, the small ones have become one.
    assert [len(one["t"].files) for one in tables] == [1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 2, 3, 3, 4, 5, 6, 6]
    total = sum(Path(landing.location(path)).stat().st_size for path in parquet_files(landing))
    assert total < 4 * first.bytes


def test_a_table_that_is_mostly_new_is_written_whole(home, landing):
    before, after = chain(random.Random(2), 2, 3_000, 2_000)
    extract_source(Source({"t": table(before)}), DAY, home)
    files = extract_source(Source({"t": table(after)}), NEXT, home).tables["t"].files
    assert [file.rows for file in files] == [len(after)]
    # Of another type, too.
    retyped = table(before).set_column(0, "id", pa.array([values[0] for values in before], pa.int32()))
    extract_source(Source({"t": retyped}), day(2), home, accept_drift=True)
    assert landed_rows(landing, day(2)) == Counter(before)


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request, home, new_database, monkeypatch):
    """An empty warehouse of each engine."""
    if request.param == "postgres":
        for name, value in warehouse_settings(new_database()).items():
            monkeypatch.setenv(name, value)
    return request.param, open_warehouse(request.param, home)


def test_raw_has_every_days_rows_in_any_order_of_loads(home, landing, warehouse):
    target, engine = warehouse
    random_ = random.Random(3)
    days = chain(random_, 6, 1_500, 25)
    source = Source({})
    for number, rows in enumerate(days):
        source.tables = {"t": table(rows), "empty": numbers()}
        extract_source(source, day(number), home)
    order = [*range(6), *random_.choices(range(6), k=7)]
    random_.shuffle(order)
    loaded: set[int] = set()
    for step, number in enumerate(order):
        if step == 7:  # a day that is extracted again with other rows: later days keep theirs
            days[4] = chain(random_, 2, 1_500, 25)[1]
            source.tables = {"t": table(days[4]), "empty": numbers()}
            extract_source(source, day(4), home)
            loaded.discard(4)
        load_sources([source], day(number), home, engine)
        loaded.add(number)
        found = raw_rows(target, engine)
        assert {one: found[day(one)] for one in loaded} == {one: Counter(days[one]) for one in loaded}


def test_raw_stores_a_row_once(home, warehouse):
    target, engine = warehouse
    days = chain(random.Random(4), 6, 2_000, 20)
    source = run_days(home, days, engine)
    changed = sum((Counter(after) - Counter(before)).total() for before, after in pairwise(days))
    assert stored(target, engine) == len(days[0]) + changed
    # Loaded again, a day is checked, or gets rows of its own.
    load_sources([source], day(5), home, engine)
    load_sources([source], day(5), home, engine)
    assert stored(target, engine) <= len(days[0]) + changed + len(days[5])
    assert raw_rows(target, engine) == {day(number): Counter(rows) for number, rows in enumerate(days)}


def stored(target: str, engine: Warehouse) -> int:
    return ask(target, engine, "select count(*) from raw_fake__versions.t")[0][0]


def test_a_load_mends_rows_that_somebody_has_changed(home, warehouse):
    target, engine = warehouse
    before, after = chain(random.Random(5), 2, 1_500, 25)
    source = run_days(home, [before, after], engine)
    ask(target, engine, "update raw_fake__versions.t set text = 'other' where id % 100 = 0")
    assert raw_rows(target, engine)[NEXT] != Counter(after)
    for run_date in (NEXT, DAY):
        load_sources([source], run_date, home, engine)
    assert raw_rows(target, engine) == {DAY: Counter(before), NEXT: Counter(after)}


def test_a_damaged_file_is_named_with_every_day_that_lists_it_and_each_can_be_extracted_again(home, landing):
    rows = chain(random.Random(6), 1, 1_500, 0)[0]
    source = Source({"t": table(rows)})
    for number in range(3):
        extract_source(source, day(number), home)
    (path,) = parquet_files(landing)
    file = Path(landing.location(path))
    whole = file.read_bytes()
    file.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    damaged = f"fake: landed file {path} is damaged (its SHA-256 is not the manifest's)"
    for number in range(3):
        assert landing.faults("fake", day(number), read_files=True) == [damaged]
        with pytest.raises(Refused, match="is damaged") as refused:
            refuse_unlanded([source], day(number), home)
        assert refused.value.command == f"tradewinds extract --run-date {day(number)} --source fake"
    for number in (1, 0, 2):
        extract_source(source, day(number), home)
        assert landing.faults("fake", day(number), read_files=True) == []
        assert landed_rows(landing, day(number)) == Counter(rows)


def test_a_day_that_is_extracted_again_keeps_the_files_that_others_list(home, landing):
    before, after = chain(random.Random(7), 2, 1_500, 25)
    for number in range(3):
        extract_source(Source({"t": table(before)}), day(number), home)
    extract_source(Source({"t": table(after)}), day(0), home)
    assert landed_rows(landing, day(0)) == Counter(after)
    assert landed_rows(landing, day(1)) == landed_rows(landing, day(2)) == Counter(before)
    # When no day lists it any more, the file goes with the next extract of its day.
    for number in (1, 2, 0):
        extract_source(Source({"t": table(after)}), day(number), home)
    listed = {file.path for number in range(3) for file in landing.manifest("fake", day(number)).files}
    assert parquet_files(landing) == listed


def test_while_another_process_shares_files_a_day_is_written_whole(home, landing):
    rows = chain(random.Random(8), 1, 1_500, 0)[0]
    extract_source(Source({"t": table(rows)}), DAY, home)
    with Landing(home).sharing(landing.manifest("fake", DAY), read_files=False) as shared:
        assert list(shared) == ["t"]
        extract_source(Source({"t": table(rows)}), NEXT, home)
        # What nobody lists any more stays too: the other one may be about to list it.
        extract_source(Source({"t": table(rows[1:])}), DAY, home)
    assert len(parquet_files(landing)) == 3
    extract_source(Source({"t": table(rows[1:])}), DAY, home)
    assert len(parquet_files(landing)) == 2


def test_raw_of_an_earlier_release_goes_on(home, warehouse):
    """Its tables had a copy of every row for each day."""
    target, engine = warehouse
    days = chain(random.Random(9), 4, 1_500, 25)
    source = run_days(home, days)
    for number in range(3):
        load_sources([source], day(number), home, engine)
    ask(
        target,
        engine,
        "create table raw_fake.old as select * from raw_fake.t; drop view raw_fake.t; "
        "alter table raw_fake.old rename to t; drop table raw_fake__versions.t",
    )
    load_sources([source], day(1), home, engine)
    load_sources([source], day(3), home, engine)
    assert raw_rows(target, engine) == {day(number): Counter(rows) for number, rows in enumerate(days)}


def events(home: Home, number: int) -> tuple[Counter[Row], Manifest]:
    """Extract the event log, and return its rows and manifest."""
    manifest = extract_source(SOURCES["event_log"], day(number), home)
    landing = Landing(home)
    with landing.rows("event_log", day(number), manifest.tables["event_log"]) as rows:
        found = duckdb.connect().execute(f"select * from {rows.relation()}", rows.parameters).fetchall()
    return Counter(found), manifest


def test_of_a_log_that_grew_the_new_lines_land(home, landing, tmp_path, monkeypatch):
    header = "event_id;event_type;professional_id_anonymized;created_at;meta_data"
    texts = [str(random.Random(number).random()) for number in range(3_000)]
    lines = [f"{n};proposed;{n % 99};2020-01-01 10:00:{n % 60:02};{text}" for n, text in enumerate(texts)]
    bad = "no;proposed;1;2020-01-01 10:00:00;x"

    def written(*parts: list[str]) -> Counter[str]:
        log.write_text("\n".join([header, *chain_.from_iterable(parts), ""]))
        return Counter(line.partition(";")[0] for part in parts for line in part if line != bad)

    contents = [(lines[:2_000], [bad]), (lines[:2_000], [bad], lines[2_000:], [bad]), (lines[1:], [bad])]
    tables = []
    for number, parts in enumerate([contents[0], contents[1], contents[1], contents[2]]):
        log = tmp_path / f"events-{number}.csv"
        monkeypatch.setenv("SOURCES__EVENT_LOG__PATH", str(log))
        expected = written(*parts)
        rows, manifest = events(home, number)
        assert Counter(str(row[0]) for row in rows.elements()) == expected
        tables.append(manifest.tables["event_log"])
        rejects = read_rejects(landing, manifest).to_pylist()
        at = [place for place, line in enumerate(chain_.from_iterable(parts), start=2) if line == bad]
        assert [(one["line_number"], one["run_date"].isoformat()) for one in rejects] == [(n, day(number)) for n in at]
        assert {one["file"] for one in rejects} == {log.name}
        assert tables[-1].read_rows == sum(map(len, parts)) == tables[-1].rows + tables[-1].rejected_rows
        assert manifest.warnings == []
    first, grown, same, rewritten = tables
    assert [file.rows for file in grown.files] == [2_000, 1_000]
    assert grown.files[0] == first.files[0]
    assert (same.files, same.content_hash) == (grown.files, grown.content_hash)
    # Rewritten without its first event: the rest is shared all the same.
    assert rewritten.files == grown.files
    assert [file.rows for file in rewritten.removed] == [1]


def test_a_day_of_changed_orders_is_the_whole_table(home, landing, new_database, monkeypatch):
    database = new_database()
    monkeypatch.setenv("SOURCES__NORTHWIND__CREDENTIALS", database.url)
    monkeypatch.setenv("SOURCES__NORTHWIND__TABLES__ORDERS__CURSOR", "order_id")
    monkeypatch.setenv("SOURCES__NORTHWIND__TABLES__ORDERS__LOOK_BACK", "100")
    database.execute(
        "create table orders (order_id integer primary key, freight numeric(9, 2), ship_name text);"
        "insert into orders select n, n / 4.0, md5(n::text) from generate_series(1, 3000) as n"
    )
    late = "table orders was read whole: "
    steps = [
        ("", []),
        ("insert into orders select n, 1, 'new' from generate_series(3001, 3050) as n", []),
        ("update orders set ship_name = 'changed' where order_id > 2990", []),
        ("", []),
        ("delete from orders where order_id = 7", [f"{late}3049 rows were read, but 3050 landed and 0 were rejected"]),
        (
            "update orders set freight = freight + 1 where order_id = 8",
            [f"{late}the amount sum of what was read is {{0}}, of what landed {{1}}"],
        ),
        (
            "delete from orders where order_id > 2950",
            [f"{late}2949 rows were read, but 3049 landed and 0 were rejected"],
        ),
        ("truncate orders; insert into orders values (1, 2, 'again')", []),
    ]
    for number, (change, warnings) in enumerate(steps):
        if change:
            database.execute(change)
        manifest = extract_source(SOURCES["northwind"], day(number), home, accept_drift=True, accept_shrink=True)
        with landing.rows("northwind", day(number), manifest.tables["orders"]) as rows:
            found = duckdb.connect().execute(f"from {rows.relation()}", rows.parameters).fetchall()
        assert sorted(found) == database.query("select * from orders order by order_id"), change
        ((amount,),) = database.query("select sum(freight)::numeric(19, 4) from orders")
        assert manifest.warnings == [warning.format(amount, amount - 1) for warning in warnings]
        whole = extract_source(SOURCES["northwind"], day(number), Home(home.root / "whole"), accept_drift=True)
        assert whole.tables["orders"].content_hash == manifest.tables["orders"].content_hash
