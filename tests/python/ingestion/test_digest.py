"""The content hash: equal for equal rows in any files and order, different for other rows."""

import hashlib
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from ingestion.digest import digest_rows, file_sha256
from ingestion.landing import Rows
from ingestion.session import open_session


@pytest.fixture
def hash_of(tmp_path):
    """Write tables to Parquet files, one each, and hash them together."""

    def write_and_hash(*tables: pa.Table, row_group_size: int | None = None) -> str:
        paths = []
        for table in tables:
            paths.append(tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet")
            parquet.write_table(table, paths[-1], row_group_size=row_group_size)
        return Rows(paths).digest(tables[0].column_names).content_hash

    return write_and_hash


def column(*values, type_: pa.DataType | None = None) -> pa.Table:
    return pa.table({"value": pa.array(values, type_)})


ORDERS = pa.table(
    {
        "order_id": [1, 2, 3, 4],
        "name": ["a", "b", None, "b"],
        "price": pa.array([Decimal("1.50"), Decimal("2.00"), None, Decimal("2.00")], pa.decimal128(10, 2)),
    }
)


def test_order_and_layout_do_not_matter(hash_of):
    expected = hash_of(ORDERS)
    assert hash_of(ORDERS) == expected
    assert hash_of(ORDERS.take([3, 1, 0, 2])) == expected
    assert hash_of(ORDERS.select(["price", "order_id", "name"])) == expected
    assert hash_of(ORDERS.slice(2), ORDERS.slice(0, 2)) == expected
    assert hash_of(*(ORDERS.slice(row, 1).select(["name", "price", "order_id"]) for row in range(4))) == expected
    assert hash_of(ORDERS, ORDERS.slice(0, 0)) == expected
    assert hash_of(ORDERS, row_group_size=1) == expected


def test_many_rows_in_any_order(hash_of):
    many = pa.table({"number": list(range(50_000)), "text": [f"row {number % 1000}" for number in range(50_000)]})
    backwards = many.take(list(reversed(range(50_000))))
    assert hash_of(many) == hash_of(backwards.slice(0, 20_001), backwards.slice(20_001))
    assert hash_of(many) != hash_of(many.slice(1))


def test_every_different_content_has_another_hash(hash_of):
    def numbers(*rows: tuple) -> pa.Table:
        return pa.table({"a": [row[0] for row in rows], "b": [row[1] for row in rows]})

    hashes = [
        hash_of(table)
        for table in (
            ORDERS,
            ORDERS.slice(0, 3),
            ORDERS.slice(0, 0),
            pa.concat_tables([ORDERS, ORDERS.slice(0, 1)]),
            pa.concat_tables([ORDERS, ORDERS]),
            ORDERS.rename_columns(["order_id", "name", "cost"]),
            ORDERS.rename_columns(["name", "order_id", "price"]),
            ORDERS.select(["order_id", "name"]),
            # Values exchanged between rows and between columns.
            numbers((1, 2), (3, 4)),
            numbers((1, 4), (3, 2)),
            numbers((2, 1), (4, 3)),
            # Doubled rows count, each as often as it is there.
            numbers((1, 2)),
            numbers((1, 2), (1, 2)),
            numbers((1, 2), (1, 2), (1, 2)),
            numbers((1, 2), (1, 2), (3, 4)),
            numbers((1, 2), (3, 4), (3, 4)),
        )
    ]
    assert len(set(hashes)) == len(hashes)


def test_null_is_unlike_any_text(hash_of):
    hashes = [hash_of(column(text, type_=pa.string())) for text in (None, "", "null", "NULL", "-", "0:", "\0", " ")]
    assert len(set(hashes)) == len(hashes)


def test_adjacent_values_cannot_be_mistaken(hash_of):
    pairs = [
        ("ab", "c"),
        ("a", "bc"),
        ("", "abc"),
        ("abc", ""),
        (None, "abc"),
        ("abc", None),
        ("1:a", "b"),
        ("1:a1:b", ""),
        ("a", "1:b"),
        ("-", None),
        (None, "-"),
        ("--", ""),
        ("a2:b", "c"),
        ("a", "2:bc"),
        ("é", "e"),
        ("e", "\u0301e"),
    ]
    hashes = [hash_of(pa.table({"x": [left], "y": [right]})) for left, right in pairs]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        (pa.float64(), [0.1, 0.1 + 2**-56, 0.0, -0.0, float("nan"), float("inf"), float("-inf"), 1e300, 5e-324]),
        (pa.float32(), [0.1, 0.10000001, 0.0, float("nan"), float("inf"), 1e30]),
        (pa.decimal128(38, 18), [Decimal("0"), Decimal("1e-18"), Decimal("-1e-18"), Decimal("99999999999999999999")]),
        (pa.binary(), [b"", b"\x00", b"\\x00", b"\x00\x00", b"\xff", b"\\xFF", b"a", b'"', b"'"]),
        (pa.date32(), [date(1, 1, 1), date(2021, 1, 1), date(9999, 12, 31)]),
        (pa.timestamp("us"), [datetime(2021, 1, 1), datetime(2021, 1, 1, microsecond=1)]),  # noqa: DTZ001
        (pa.timestamp("us", "UTC"), [datetime(2021, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, 1, tzinfo=UTC)]),
        (pa.bool_(), [True, False]),
        (pa.int64(), [0, 1, -1, 2**63 - 1, -(2**63)]),
    ],
)
def test_every_value_of_a_type_has_another_hash(hash_of, type_, values):
    tables = [column(value, type_=type_) for value in [*values, None]]
    hashes = [hash_of(table) for table in tables]
    for one, other in combinations(range(len(hashes)), 2):
        assert hashes[one] != hashes[other], (tables[one], tables[other])
    assert hashes == [hash_of(table) for table in tables]


def test_a_moment_is_the_same_in_every_time_zone(hash_of, monkeypatch):
    moment = datetime(2021, 6, 1, 12, tzinfo=UTC)
    expected = hash_of(column(moment, type_=pa.timestamp("us", "UTC")))
    assert hash_of(column(moment, type_=pa.timestamp("us", "America/Sao_Paulo"))) == expected
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert hash_of(column(moment, type_=pa.timestamp("us", "UTC"))) == expected


def test_names_that_need_quotes(hash_of):
    table = pa.table({'a"b': [1], "select": [2], "x y": [3], "é": [4]})
    assert hash_of(table) == hash_of(table.select(["é", "x y", "select", 'a"b']))
    assert hash_of(table) != hash_of(table.rename_columns(['a"b', "select", "x  y", "é"]))


def test_a_number_has_one_hash_whatever_its_width(hash_of):
    def all_equal(values: list, *types: pa.DataType) -> bool:
        return len({hash_of(column(*values, type_=type_)) for type_ in types}) == 1

    assert all_equal([0, 1, -1, 127, None], pa.int8(), pa.int16(), pa.int32(), pa.int64())
    assert all_equal([Decimal("32.3800"), Decimal("-0.0001"), None], *(pa.decimal128(size, 4) for size in (9, 19, 38)))
    assert all_equal([1.5, -0.0, float("nan"), None], pa.float32(), pa.float64())
    assert all_equal(["ä", "", None], pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()))


def test_values_of_other_kinds_are_others(hash_of):
    values = [
        (1, pa.int32()),
        (1, pa.float64()),
        (True, pa.bool_()),
        ("1", pa.string()),
        (b"1", pa.binary()),
        (date(1970, 1, 2), pa.date32()),
        (datetime(1970, 1, 1, microsecond=1), pa.timestamp("us")),  # noqa: DTZ001
        (datetime(1970, 1, 1, microsecond=1, tzinfo=UTC), pa.timestamp("us", "UTC")),
        (Decimal("0.0001"), pa.decimal128(19, 4)),
    ]
    hashes = [hash_of(column(value, type_=type_)) for value, type_ in values]
    assert len(set(hashes)) == len(hashes)


def test_a_hash_tells_its_algorithm(hash_of):
    major, minor, _ = duckdb.__version__.split(".", 2)
    algorithm, _, digits = hash_of(ORDERS).partition(":")
    assert algorithm == f"duckdb-{major}.{minor}"
    assert re.fullmatch("[0-9a-f]{64}", digits)


def test_rows_hash_of_a_relation_equals_that_of_its_files(hash_of):
    with open_session() as connection:
        connection.register("orders", ORDERS)
        assert digest_rows(connection, "orders", ORDERS.column_names).content_hash == hash_of(ORDERS)


def test_file_sha256_is_the_bytes_sha256(tmp_path: Path):
    path = tmp_path / "file"
    for data in (b"", b"\0" * 100_000, b"text"):
        path.write_bytes(data)
        assert file_sha256(path) == hashlib.sha256(data).hexdigest()
