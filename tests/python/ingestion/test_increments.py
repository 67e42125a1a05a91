"""Only what changed is read: a database's rows since a bookmark, and the new lines of a file that grew."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingestion.errors import BadRequest
from ingestion.known_settings import refuse_unknown_settings
from ingestion.landing import Column, Manifest, Table
from ingestion.settings import Home
from ingestion.source_settings import read_source_settings
from ingestion.sources import SOURCES, Increment, make_source
from ingestion.sources.csv_lines import LineFilter

DAY = "2021-01-01"
ORDERS = "SOURCES__NORTHWIND__TABLES__ORDERS__"
HEADER = b"order_id,product_id,unit_price,quantity,discount\n"


@dataclass
class Read:
    """What a reading says about one table, and the manifest that an extract makes of it."""

    rows: list[tuple]
    increment: Increment | None
    rejects: list[dict]
    count: int
    totals: tuple
    day: Manifest

    @property
    def keys(self) -> list:
        return sorted(row[0] for row in self.rows)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """Read a table of a source after a day, as an extract does."""

    def open_and_read(source: str, table: str, before: Read | None = None, is_sample: bool = False) -> Read:
        found, work = SOURCES[source], tmp_path / "work"
        work.mkdir(exist_ok=True)
        with found.open(Home(tmp_path), DAY, work, before.day if before else None) as reading:
            rows = [tuple(row.values()) for batch in reading.read(table) for row in batch.to_pylist()]
            columns = [Column(field.name, str(field.type)) for field in reading.schemas()[table]]
            landed = Table(len(rows), 0, columns, [], "", "", bookmark=reading.bookmark(table))
            increment, totals = reading.increment(table), reading.totals(table)
            day = Manifest(source, DAY, "", is_sample, [table], {table: landed})
            day = Manifest.from_json(day.to_json())
            assert increment is None or increment.bookmark == day.tables[table].bookmark
            figures = (reading.count(table), (totals.key, totals.amount))
            return Read(rows, increment, reading.rejects(table), *figures, day)

    return open_and_read


@pytest.fixture
def orders(new_database, monkeypatch, read):
    """Change the table orders, and read it with a cursor's settings."""
    database = new_database()
    monkeypatch.setenv("SOURCES__NORTHWIND__CREDENTIALS", database.url)
    database.execute(
        "create table orders (order_id integer primary key, freight numeric(9, 2), changed_at timestamp);"
        "insert into orders select n, n / 4.0, '2021-01-01'::date + n from generate_series(1, 9) as n"
    )

    def change_and_read(change: str = "", before: Read | None = None, **settings: str) -> Read:
        for name in ("CURSOR", "KEY", "LOOK_BACK", "APPEND"):
            monkeypatch.delenv(ORDERS + name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(ORDERS + name.upper(), value)
        refuse_unknown_settings()
        if change:
            database.execute(change)
        return read("northwind", "orders", before)

    change_and_read.database = database
    return change_and_read


def test_rows_since_the_bookmark_are_read_and_the_whole_is_counted_and_summed(orders):
    by = {"cursor": "changed_at", "look_back": "2"}
    first = orders(**by)
    assert (first.increment, first.count, first.totals) == (None, 9, ("45", "11.2500"))
    bookmark = first.day.tables["orders"].bookmark
    assert {**bookmark, "table": ""} == {
        "column": "changed_at", "type": "timestamp", "table": "", "value": "2021-01-10 00:00:00",
    }  # fmt: skip
    unchanged = orders(before=first, **by)
    assert (unchanged.keys, unchanged.count, unchanged.totals) == ([7, 8, 9], 9, first.totals)
    assert unchanged.increment.key == ("order_id",)
    assert unchanged.increment.file is None
    assert unchanged.day.tables["orders"].bookmark == bookmark
    # A row without a value, a new one, one changed late within the look-back, and one changed with a new value.
    second = orders(
        "insert into orders values (10, 1, null), (11, 1, '2021-02-01');"
        "update orders set freight = 100 where order_id = 8;"
        "update orders set freight = 0, changed_at = '2021-01-20' where order_id = 1",
        first,
        **by,
    )
    assert (second.keys, second.count) == ([1, 7, 8, 9, 10, 11], 11)
    assert second.day.tables["orders"].bookmark["value"] == "2021-02-01 00:00:00"
    third = orders(
        "delete from orders where order_id = 2; insert into orders values (12, 0.5, '2020-01-01')", second, **by
    )
    # Neither the late row nor the deleted one is read, but the sums tell.
    assert (third.keys, third.count, third.totals[0]) == ([10, 11], 11, str(sum({*range(1, 13)} - {2})))


def test_append_reads_only_rows_after_the_bookmark(orders):
    by = {"cursor": "order_id", "append": "true"}
    first = orders(**by)
    grown = orders(
        "insert into orders values (10), (11); update orders set freight = 0 where order_id = 9", first, **by
    )
    assert (grown.keys, grown.increment.key) == ([10, 11], ())
    by["cursor"] = "changed_at"
    first = orders("delete from orders where changed_at is null", **by)
    assert orders(before=first, **by).keys == []
    without_value = orders("insert into orders values (12)", first, **by)
    assert (without_value.increment, without_value.keys) == (None, [*range(1, 10), 12])


def test_another_table_column_or_type_is_read_whole(orders):
    by = {"cursor": "order_id"}
    first = orders(**by)
    assert orders(before=first, **by).keys == [9]
    assert orders(before=first).increment is None
    assert orders(before=first, cursor="changed_at").increment is None
    assert orders(before=orders(cursor="changed_at"), **by).increment is None
    first.day.tables["orders"].bookmark.clear()  # as an older manifest has none
    assert orders(before=first, **by).increment is None
    of_sample = orders(**by)
    of_sample.day = Manifest(**vars(of_sample.day) | {"is_sample": True})
    assert orders(before=of_sample, **by).increment is None
    for change in (
        "alter table orders add note text",
        "alter table orders alter freight type numeric(10, 2)",
        "alter table orders alter order_id type bigint",
        "create table copied as table orders; truncate orders; insert into orders table copied",
        "drop table orders; alter table copied rename to orders",
    ):
        before = orders(**by)
        changed = orders(change, before, **by)
        assert (changed.increment, changed.keys) == (None, [*range(1, 10)]), change
        assert orders(before=changed, **by).keys == [9]
    emptied = orders("delete from orders", orders(**by), **by)
    assert (emptied.keys, emptied.count, emptied.day.tables["orders"].bookmark) == ([], 0, {})


def test_a_type_with_an_order_can_be_the_cursor(orders):
    types = {
        "smallint": ("n", "40000"), "integer": ("n", "3"), "bigint": ("-9223372036854775800 + n", "100"),
        "numeric": ("n * 1e10", "25000000000.5"), "numeric(9, 1)": ("n / 2.0", "1.4"),
        "date": ("'2021-01-01'::date + n", "3"),
        "timestamp": ("'2021-01-01'::timestamp + n * interval '1 hour'", "0.13"),
        "timestamptz": ("'2021-01-01 02:00+02'::timestamptz + n * interval '1 day'", "3"),
    }  # fmt: skip
    read = {}
    for type_, (value, look_back) in types.items():
        by = {"cursor": "at", "look_back": look_back}
        first = orders(
            f"alter table orders add at {type_}; with n as (select order_id as n from orders)"
            f"update orders set at = {value} from n where order_id = n",
            **by,
        )
        read[type_] = orders(before=first, **by).keys
        orders("alter table orders drop at")
    last_four = [6, 7, 8, 9]
    assert read == {
        "smallint": [*range(1, 10)], "integer": last_four, "bigint": [*range(1, 10)], "numeric": [7, 8, 9],
        "numeric(9, 1)": [7, 8, 9], "date": last_four, "timestamp": last_four, "timestamptz": last_four,
    }  # fmt: skip


def test_rejected_rows_are_all_read_and_are_no_bookmark(orders):
    by = {"cursor": "changed_at"}
    first = orders("update orders set changed_at = 'infinity' where order_id = 2", **by)
    assert first.day.tables["orders"].bookmark["value"] == "2021-01-10 00:00:00"
    second = orders("update orders set changed_at = '20000-01-01' where order_id = 9", first, **by)
    assert (second.keys, second.count, len(second.rejects)) == ([], 9, 2)
    assert second.day.tables["orders"].bookmark["value"] == "2021-01-09 00:00:00"


def test_the_whole_table_is_of_the_same_snapshot(orders, tmp_path):
    before = orders(cursor="order_id").day
    with SOURCES["northwind"].open(Home(tmp_path), DAY, tmp_path, before) as reading:
        assert sum(batch.num_rows for batch in reading.read("orders")) == 1
        orders.database.execute("insert into orders values (10)")
        with closing(reading.read_whole("orders")) as batches:
            assert sum(batch.num_rows for batch in batches) == reading.count("orders") == 9
        assert reading.increment("orders") is None
        assert reading.bookmark("orders")["value"] == "9"


def test_settings_that_cannot_be_meant_are_refused(orders):
    orders.database.execute("alter table orders add note text")
    for settings, reason in (
        ({"cursor": "order"}, "CURSOR: table orders has no column order; it has order_id, freight, changed_at, note"),
        ({"cursor": "note"}, "CURSOR: orders.note is of type text; expected a whole number, a numeric, a date or a"),
        ({"cursor": "order_id", "key": '["order_id", "line"]'}, "KEY: table orders has no column line; it has"),
        ({"cursor": "order_id", "key": "[1]"}, "KEY: expected the columns that tell its rows apart, or append = true"),
        ({"cursor": "order_id", "look_back": "-1"}, "LOOK_BACK: expected a number from 0, found '-1'"),
        ({"cursor": "order_id", "look_back": "1.5"}, "LOOK_BACK must be whole for orders.order_id (int4)"),
        ({"cursor": "order_id", "append": "perhaps"}, "APPEND: expected true or false, found 'perhaps'"),
        ({"cursor": "order_id", "append": "true", "key": "order_id"}, "append is for rows that never change, so"),
        ({"key": "order_id"}, "[sources.northwind.tables.orders] in .dlt/config.toml: expected cursor"),
        ({"cursr": "order_id"}, f"unknown setting {ORDERS}CURSR (did you mean {ORDERS}CURSOR?)"),
    ):
        with pytest.raises(BadRequest) as raised:
            orders(**settings)
        assert reason in str(raised.value)


def test_sections_and_lists_of_tables_go_together(orders, tmp_path, monkeypatch):
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    (tmp_path / ".dlt").mkdir()
    config = tmp_path / ".dlt" / "config.toml"
    beginning = '[sources.erp]\nkind = "postgres"\n'
    orders.database.execute("create table lines (n integer); create table notes (n integer)")
    monkeypatch.setenv("SOURCES__ERP__CREDENTIALS", orders.database.url)

    def tables(name: str, text: str = "") -> dict:
        config.write_text(beginning + text, encoding="utf-8")
        source = make_source(read_source_settings(name))
        monkeypatch.setattr(type(source), "control_totals", {})
        with source.open(Home(tmp_path), DAY, tmp_path) as reading:
            return {table: reading.bookmark(table).get("value") for table in reading.schemas()}

    cursor = 'cursor = "order_id"\nkey = "order_id"\n'
    assert tables("erp", f"[sources.erp.tables.lines]\n[sources.erp.tables.orders]\n{cursor}") == {
        "lines": None, "orders": "9",
    }  # fmt: skip
    assert tables("northwind", f"[sources.northwind.tables.orders]\n{cursor}") == {
        "lines": None, "notes": None, "orders": "9",
    }  # fmt: skip
    for name, value in (("CURSOR", "order_id"), ("APPEND", "true")):
        monkeypatch.setenv(f"SOURCES__ERP__TABLES__ORDERS__{name}", value)
    assert tables("erp", 'tables = ["lines", "orders"]\n') == {"lines": None, "orders": "9"}
    monkeypatch.setenv("SOURCES__ERP__TABLES", '["notes", "orders"]')
    assert tables("erp") == {"notes": None, "orders": "9"}
    monkeypatch.setenv("SOURCES__NORTHWIND__TABLES", '["orders"]')
    assert tables("northwind", f"[sources.northwind.tables.lines]\n{cursor}").keys() == {"orders"}
    for text, reason in (
        (f"[sources.northwind.tables.ordrs]\n{cursor}", "TABLES__ORDRS__CURSOR: the source has no table ordrs; it has"),
        ('[sources.northwind.tables.lines]\ncursor = "n"\n', "TABLES__LINES__KEY: expected the columns that tell"),
        (f"[sources.northwind.tables.orders]\n{cursor}lookback = 3\n", "lookback (did you mean look_back?)"),
        ("[sources.northwind.tables]\norders = 1\n", "tables.orders] in .dlt/config.toml: expected cursor, key,"),
    ):
        monkeypatch.delenv("SOURCES__NORTHWIND__TABLES", raising=False)
        with pytest.raises(BadRequest) as raised:
            tables("northwind", text)
        assert reason in str(raised.value)


@pytest.fixture
def lines(monkeypatch, tmp_path, read):
    """Write the file of order lines, and read it."""
    path = tmp_path / "lines.csv"
    monkeypatch.setenv("SOURCES__ORDER_DETAILS__PATH", str(path))

    def write_and_read(data: bytes, before: Read | None = None) -> Read:
        path.write_bytes(data)
        return read("order_details", "order_details", before)

    return write_and_read


def test_of_a_file_that_grew_only_the_new_lines_are_read(lines, tmp_path):
    old = HEADER + b"1,1,1,1,0\nx,1,1,1,0\n\n1,2,1,1,9e99\n"
    first = lines(old)
    assert (first.increment, first.count, [one["line_number"] for one in first.rejects]) == (None, 3, [3, 5])
    unchanged = lines(old, first)
    assert (unchanged.rows, unchanged.rejects, unchanged.count) == ([], [], 3)
    assert unchanged.increment == Increment((), first.day.tables["order_details"].bookmark, "lines.csv")
    added = b"\r\n2,1,1,1,0\r\ny,1,1,1,0\n3,1,1,1,9e99\n4,1,1,1,0"
    grown = lines(old + added, unchanged)
    assert (grown.keys, grown.count, grown.increment.key) == ([2, 4], 7, ())
    assert [(one["line_number"], one["raw_text"]) for one in grown.rejects] == [(8, "y,1,1,1,0"), (9, "3,1,1,1,9e99")]
    assert lines(old + added + b"\n5,1,1,1,0\n", grown).keys == [5]
    # Its last line had no end, and goes on.
    longer = lines(old + added + b"1\n5,1,1,1,0\n", grown)
    assert (longer.increment, longer.keys) == (None, [1, 2, 4, 5])
    rewritten = old.replace(b"1,1,1,1,0", b"9,1,1,1,0")
    for data in (rewritten, rewritten + added, old[:-12], HEADER, b"\xef\xbb\xbf" + old):
        whole = lines(data, grown if data != rewritten else first)
        assert (whole.increment, whole.rows) == (None, lines(data).rows), data
    with SOURCES["order_details"].open(Home(tmp_path), DAY, tmp_path / "work", lines(data).day) as reading:
        assert list(reading.read("order_details")) == []
        rows = sum(batch.num_rows for batch in reading.read_whole("order_details"))
        assert (rows, reading.count("order_details"), reading.increment("order_details")) == (1, 3, None)
        assert [one["line_number"] for one in reading.rejects("order_details")] == [3, 5]


def test_a_file_of_another_shape_is_read_whole(lines, monkeypatch):
    first = lines(HEADER + b"1,1,1,1,0\n")
    shape = SOURCES["order_details"].shape
    monkeypatch.setattr(type(shape), "text", "another")
    assert lines(HEADER + b"1,1,1,1,0\n", first).increment is None


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("beginning", [b"", b"\xef\xbb\xbf"])
def test_wherever_a_file_ended_both_days_together_have_its_lines(tmp_path, end, beginning):
    shape = SOURCES["order_details"].shape
    data = [b"1,1,1,1,1", b"", b'2,"1",1,1,1', b"\xff", b'"3', b"4,1", b"", b"", b"5,1,1,1,1", b"x"]
    data = beginning + end.join([HEADER.rstrip(), *data, b""])
    path = tmp_path / "lines.csv"

    def passed(size: int, earlier: dict | None = None) -> tuple[LineFilter, list]:
        path.write_bytes(data[:size])
        lines = LineFilter(path, shape.delimiter, shape.columns, tmp_path / "clean.csv", earlier)
        lines.run()
        copied = lines.clean.read_bytes().splitlines()[1:]
        numbered = [(lines.original_number(number), line) for number, line in enumerate(copied, start=2)]
        return lines, sorted(numbered + [(number, text.encode()) for number, _, text in lines.rejected])

    whole, all_lines = passed(len(data))
    tails = 0
    for size in range(len(beginning + HEADER.rstrip()) + 1, len(data) + 1):
        first, old = passed(size)
        second, new = passed(len(data), first.passed())
        assert second.passed() == whole.passed()
        assert second.records == whole.records
        assert (old + new if second.is_tail else new) == all_lines
        ends_a_line = data[:size].endswith(b"\n") or (data[size:].startswith(end) and data[size - 1 :] != end)
        assert second.is_tail == ends_a_line, data[:size]
        tails += second.is_tail
    assert tails == 11 + 7
