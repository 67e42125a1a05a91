"""A CSV file lands line by line: every line that isn't empty is a row or a reject."""

import csv
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestion.errors import StepFailed
from ingestion.sources import SOURCES
from ingestion.sources.csv import CsvReading, CsvShape
from ingestion.sources.csv_lines import LineFilter

SHAPE = SOURCES["order_details"].shape
HEADER = b"order_id,product_id,unit_price,quantity,discount\n"
MIB = 1024 * 1024


@dataclass
class Landed:
    """What came out of one file."""

    rows: list[tuple]
    rejects: list[dict]

    @property
    def rejected(self) -> list[tuple[int, str, str]]:
        return [(reject["line_number"], reject["rule"], reject["raw_text"]) for reject in self.rejects]

    @property
    def rejected_lines(self) -> list[int]:
        return [reject["line_number"] for reject in self.rejects]


def read(path: Path, shape: CsvShape = SHAPE) -> Landed:
    """Read a whole file the way the extract does."""
    work = path.parent / "work"
    work.mkdir(exist_ok=True)
    reading = CsvReading(path, shape, work)
    schema = reading.schemas()[shape.table]
    batches = list(reading.read(shape.table))
    assert all(batch.schema == schema for batch in batches)
    rows = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
    return Landed(rows, reading.rejects(shape.table))


@pytest.fixture
def land(tmp_path: Path) -> Callable[..., Landed]:
    """Write these bytes to a file and read it."""

    def write_and_read(data: bytes, shape: CsvShape = SHAPE) -> Landed:
        path = tmp_path / "lines.csv"
        path.write_bytes(data)
        return read(path, shape)

    return write_and_read


def row(*values: str | None) -> tuple:
    """The order line these five numbers mean."""
    kinds = (int, int, Decimal, int, Decimal)
    return tuple(None if value is None else kind(value) for kind, value in zip(kinds, values, strict=True))


ONE = row("10248", "11", "14.0", "12", "0")
TWO = row("10249", "42", "9.8", "10", "0.05")


def test_declared_columns_and_types(tmp_path):
    path = tmp_path / "lines.csv"
    path.write_bytes(HEADER)
    work = tmp_path / "work"
    work.mkdir()
    reading = CsvReading(path, SHAPE, work)
    assert reading.schemas() == {
        "order_details": pa.schema(
            [
                ("order_id", pa.int64()),
                ("product_id", pa.int64()),
                ("unit_price", pa.decimal128(28, 10)),
                ("quantity", pa.int64()),
                ("discount", pa.decimal128(18, 10)),
            ]
        )
    }


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(HEADER + b"10248,11,14.0,12,0\n10249,42,9.8,10,0.05\n", id="LF"),
        pytest.param((HEADER + b"10248,11,14.0,12,0\n10249,42,9.8,10,0.05\n").replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(HEADER + b"10248,11,14.0,12,0\r\n10249,42,9.8,10,0.05\n", id="mixed"),
        pytest.param(HEADER.strip() + b"\r\n10248,11,14.0,12,0\n10249,42,9.8,10,0.05\r\n", id="mixed, CRLF first"),
        pytest.param(HEADER + b"10248,11,14.0,12,0\n10249,42,9.8,10,0.05", id="no newline at the end"),
        pytest.param(b"\xef\xbb\xbf" + HEADER + b"10248,11,14.0,12,0\n10249,42,9.8,10,0.05\n", id="BOM"),
        pytest.param(HEADER + b"\n10248,11,14.0,12,0\n\r\n\n10249,42,9.8,10,0.05\n\n\n", id="empty lines"),
        pytest.param(HEADER + b'"10248","11","14.0","12","0"\n10249,42,"9.8",10,0.05\n', id="quoted"),
        pytest.param(HEADER + b" 10248,11 ,14.0,12,0\n10249.0,42,9.8,10.,0.05\n", id="spaces and whole floats"),
        pytest.param(
            b'"order_id","product_id","unit_price","quantity","discount"\n10248,11,14.0,12,0\n10249,42,9.8,10,0.05\n',
            id="quoted header",
        ),
    ],
)
def test_every_way_to_write_two_lines_means_the_same(land, data):
    landed = land(data)
    assert landed.rows == [ONE, TWO]
    assert landed.rejects == []


@pytest.mark.parametrize(
    "data", [HEADER, HEADER.strip(), HEADER.strip() + b"\r\n", b"\xef\xbb\xbf" + HEADER, HEADER + b"\n\r\n\n"]
)
def test_only_a_header_is_an_empty_table(land, data):
    assert land(data) == Landed([], [])


def test_empty_fields_are_null(land):
    assert land(HEADER + b",,,,\n" + b'1,"",2,,""\n').rows == [
        (None, None, None, None, None),
        row("1", None, "2", None, None),
    ]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty file"),
        pytest.param(b"\xef\xbb\xbf", id="only a BOM"),
        pytest.param(b"\n" + HEADER, id="header on the second line"),
        pytest.param(b"order_id,product_id,unit_price,quantity\n1,2,3,4\n", id="column missing"),
        pytest.param(HEADER.strip() + b",note\n1,2,3,4,5,x\n", id="column too many"),
        pytest.param(b"product_id,order_id,unit_price,quantity,discount\n1,2,3,4,5\n", id="reordered"),
        pytest.param(HEADER.upper() + b"1,2,3,4,5\n", id="other case"),
        pytest.param(HEADER.replace(b",", b";") + b"1;2;3;4;5\n", id="other delimiter"),
        pytest.param(b"1,2,3,4,5\n", id="no header"),
        pytest.param(b'"order_id,product_id\n1,2,3,4,5\n', id="unclosed quote"),
        pytest.param(b"\xff\xfe\x00\n", id="not UTF-8"),
        pytest.param(HEADER.replace(b"\n", b"\r") + b"1,2,3,4,5\r", id="CR only, so one line in all"),
        pytest.param(b"x" * 200_000, id="one long field"),
        pytest.param(b"x," * MIB, id="a header over 1 MiB"),
        pytest.param(HEADER.strip() + b" " * MIB + b"\n1,2,3,4,5\n", id="a header over 1 MiB with blanks"),
    ],
)
def test_a_wrong_header_stops_the_extract(land, data):
    with pytest.raises(StepFailed, match=r"lines\.csv has the wrong header: expected order_id,product_id") as failure:
        land(data)
    assert len(str(failure.value)) < 600


def test_what_is_no_file_stops_the_extract(tmp_path):
    with pytest.raises(StepFailed, match=r"none\.csv can't be read: No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(StepFailed, match="can't be read: Is a directory"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    for endless in (Path("/dev/zero"), tmp_path / "pipe.csv"):
        with pytest.raises(StepFailed, match="can't be read: Not a regular file"):
            read(endless)


BAD_LINES = {
    "wrong number of columns": [b"1,2,3,4", b"1", b"1,2,3,4,5,6", b"1,2,3,4,5,", b"1,2,3,4,5,,", b" ", b'""'],
    "order_id has the wrong type": [b"x,2,3,4,5", b" ,2,3,4,5", b"NULL,2,3,4,5"],
    "unit_price has the wrong type": [b"1,2,x,4,5", b"1,2,nan,4,5", b'1,2,"3,5",4,5', b'1,2,"3""5",4,5'],
    "discount has the wrong type": [b"1,2,3,4,1.2.3"],
    "misplaced quote": [
        *(b'1,2,"3,4,5', b'1,2,3,4,"5', b'1,2,3,4,5"', b'x"y,"z,3,4,5', b'x"y,"z', b'1,"2"3,3,4,5', b'1, "2",3,4,5'),
        *(b'"', b'1,2,3,4,"""5'),
    ],
}
# DuckDB alone would make an integer of each.
NO_INTEGERS = {
    "quantity has the wrong type": [b"1,2,3,4.5,5"],
    "order_id has the wrong type": [b"0x10,2,3,4,5", b"1_000,2,3,4,5"],
    "product_id has the wrong type": [b'1,"1e-1",3,4,5'],
}
# Of bigint, decimal(28, 10), decimal(18, 10).
OVERFLOWS = {
    "order_id has the wrong type": [b"9223372036854775808,2,3,4,5"],
    "unit_price has the wrong type": [b"1,2,1000000000000000000,4,5"],
    "discount has the wrong type": [b"1,2,3,4,100000000"],
}


def test_a_bad_line_is_a_reject_and_its_neighbours_land(land):
    rules = [
        (line, rule) for table in (BAD_LINES, NO_INTEGERS, OVERFLOWS) for rule, bad in table.items() for line in bad
    ]
    landed = land(HEADER + b"".join(b"10248,11,14.0,12,0\n" + line + b"\n10249,42,9.8,10,0.05\n" for line, _ in rules))
    assert landed.rows == [ONE, TWO] * len(rules)
    assert landed.rejected == [(3 * place, rule, line.decode()) for place, (line, rule) in enumerate(rules, 1)]
    assert {(reject["file"], reject["table"]) for reject in landed.rejects} == {("lines.csv", "order_details")}


@pytest.mark.parametrize(
    ("line", "rule", "text"),
    [
        (b"1,2,3\x00,4,5", "control character", r"1,2,3\x00,4,5"),
        (b"1,2,3,4\r,5", "control character", "1,2,3,4\r,5"),
        (b"1,2,3,4,5\r", "control character", "1,2,3,4,5\r"),
        (b"\r", "control character", "\r"),
        (b"1,2,\xff,4,5", "not UTF-8", r"1,2,\xff,4,5"),
        (b"1,2,\xc3,4,5", "not UTF-8", r"1,2,\xc3,4,5"),
        ("1,2,é,4,5".encode(), "unit_price has the wrong type", "1,2,é,4,5"),
        (b"1,2,a\\b,4,5", "unit_price has the wrong type", "1,2,a\\b,4,5"),
        (b" 1,2,x ,4,5 ", "unit_price has the wrong type", " 1,2,x ,4,5 "),
    ],
)
def test_odd_bytes_are_kept_in_the_reject_as_text(land, line, rule, text):
    # A line of CRLF ends, so that a CR before it is the line's own.
    landed = land(HEADER + b"10248,11,14.0,12,0\r\n" + line + b"\r\n10249,42,9.8,10,0.05")
    assert landed.rows == [ONE, TWO]
    assert landed.rejected == [(3, rule, text)]


def test_an_unclosed_quote_does_not_swallow_the_rest(land):
    good = b"".join(b"%d,1,2.5,3,0\n" % number for number in range(1000))
    landed = land(HEADER + b'1,2,"3,4,5\n' + good)
    assert [values[0] for values in landed.rows] == list(range(1000))
    assert landed.rejected_lines == [2]


def test_line_numbers_are_those_of_the_original_file(land):
    lines = [HEADER.strip(), b"1,1,1,1,1", b"", b'"', b"", b"", b"bad,1,1,1,1", b"\xff", b"2,1,1,1,1", b"", b"1,1"]
    for end in (b"\n", b"\r\n"):
        landed = land(end.join(lines))
        assert landed.rejected_lines == [4, 7, 8, 11]
        assert [values[0] for values in landed.rows] == [1, 2]


def test_a_line_over_one_mebibyte_is_a_reject_and_one_below_is_not(land):
    at_limit = b"3,1,1,1," + b"0" * (MIB - 8)
    over = b"4,1,1,1," + b"0" * (MIB - 7)
    landed = land(HEADER + b"1,1,1,1,1\n" + over + b"\n" + at_limit + b"\n2,1,1,1,1\n")
    assert [values[0] for values in landed.rows] == [1, 3, 2]
    assert [(number, rule) for number, rule, _ in landed.rejected] == [(3, "line too long")]
    assert landed.rejects[0]["raw_text"] == over.decode()


def test_lines_on_both_sides_of_a_chunk_border_are_whole(land):
    # The file is read in pieces of 4 MiB: some bad lines lie right at the border, others far from it.
    end, header = b"\r\n", HEADER.strip() + b"\r\n"
    parts, size, expected, accepted = [header], len(header), [], 0
    for number in range(2, 250_000):
        line = b"%d,%d,%d.50,%d,0.05" % (number, number % 77, number % 100, number % 30)
        from_border = min((size - len(header)) % (4 * MIB), -(size - len(header)) % (4 * MIB))
        if number > 9 and (from_border < 120 or number % 20_011 == 0):
            line = (b'"%d,bad', b"%d,bad,1,1,1", b"%d,\xe9,1,1,1", b"%d")[number % 4] % number
            expected.append((number, line.decode(errors="backslashreplace")))
        else:
            accepted += 1
        parts.append(line + end)
        size += len(line) + len(end)
    assert size > 5 * MIB
    landed = land(b"".join(parts))
    assert [(number, text) for number, _, text in landed.rejected] == expected
    assert len(expected) > 15
    assert len(landed.rows) == accepted
    rejected = {number for number, _ in expected}
    assert [values[0] for values in landed.rows] == [n for n in range(2, 250_000) if n not in rejected]


def test_no_size_of_chunk_changes_what_is_read(tmp_path, monkeypatch):
    lines = [b"1,1,1,1,1", b"", b'2,"1",1,1,1', b"\rx", b'"3', b"4,1", b"", b"", b"5,\r,1,1,1", b"6,1,1,1,1", b"x"]
    rejected = [5, 6, 7, 10, 12]
    path = tmp_path / "lines.csv"
    for end in (b"\n", b"\r\n"):
        for last in (b"", end):
            path.write_bytes(HEADER + end.join(lines) + last)
            for size in range(1, len(end.join(lines)) + 3):
                monkeypatch.setattr("ingestion.sources.csv_lines._CHUNK_BYTES", size)
                filtered = LineFilter(path, SHAPE.delimiter, SHAPE.columns, tmp_path / "clean.csv")
                filtered.run()
                assert filtered.clean.read_bytes() == HEADER + b'1,1,1,1,1\n2,"1",1,1,1\n6,1,1,1,1\n'
                assert [number for number, _, _ in filtered.rejected] == rejected
                assert filtered.records == 8
                assert [filtered.original_number(number) for number in (2, 3, 4)] == [2, 4, 11]


def test_tabs_between_typed_fields_are_no_blanks_of_theirs(land):
    shape = CsvShape(table="trips", delimiter="\t", columns={"id": "BIGINT", "day": "DATE", "n": "INTEGER"})
    landed = land(b"id\tday\tn\n1\t2021-01-01\t5\n2\t\t6.0\n3\t2021-01-03\tx\n4 \t 2021-01-04 \t 7\n", shape)
    assert [values[:3] for values in landed.rows] == [
        (1, date(2021, 1, 1), 5),
        (2, None, 6),
        (4, date(2021, 1, 4), 7),
    ]
    assert landed.rejected == [(4, "n has the wrong type", "3\t2021-01-03\tx")]


def test_another_delimiter_and_text_columns(land):
    shape = CsvShape(table="events", delimiter=";", columns={"id": "BIGINT", "text": "VARCHAR", "at": "TIMESTAMP"})
    landed = land(
        b"id;text;at\n"
        b"1;plain, with a comma;2021-01-01 10:00:00\n"
        b'2;"a; and ""quotes""";2021-01-02 00:00:00\n'
        b"3;\xc3\xa9;\n"
        b'4;"unclosed;2021-01-01 10:00:00\n'
        b"5;text;yesterday\n"
        b"6;text\n"
        b"7;1.50;2021-01-03 00:00:00\n",
        shape,
    )
    assert [values[:2] for values in landed.rows] == [
        (1, "plain, with a comma"),
        (2, 'a; and "quotes"'),
        (3, "é"),
        (7, "1.50"),
    ]
    assert landed.rejected == [
        (5, "misplaced quote", '4;"unclosed;2021-01-01 10:00:00'),
        (6, "at has the wrong type", "5;text;yesterday"),
        (7, "wrong number of columns", "6;text"),
    ]


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        (
            "timestamp",  # lower case, as a person writes a type
            ["2020-01-01 00:30:00", "2020-01-01T00:30:00Z", "2020-01-01 00:30:00+00:00", " 2020-01-01 00:30 "],
            ["2020-01-01 00:30:00+05:30", "2020-01-01 00:30:00 Europe/Paris", "9999-12-31 24:00:00"],
        ),
        (
            "timestamptz",
            ["2020-01-01 06:00:00+05:30", "2020-01-01 01:30:00 Europe/Paris", "2020-01-01 00:30:00"],
            ["9999-12-31 23:00:00-05", "0001-01-01 00:00:00+05"],
        ),
        ("date", ["2020-01-01"], []),
    ],
)
def test_a_time_is_of_the_years_1_to_9999_and_its_zone_counts(land, type_, good, bad):
    bad = [*bad, "infinity", "-infinity", "epoch", "99999-01-01 00:00:00", "0044-03-15 (BC) 00:00:00", "0000-01-01"]
    shape = CsvShape(table="events", delimiter=";", columns={"at": type_, "n": "int"})
    landed = land("\n".join(["at;n", *(f"{value};1" for value in (*good, *bad)), ";2", ";1.5"]).encode(), shape)
    at = "2020-01-01" if type_ == "date" else "2020-01-01 00:30"
    assert [str(value)[: len(at)] for value, _ in landed.rows[:-1]] == [at] * len(good)
    assert landed.rows[-1] == (None, 2)
    rejected = [("at has the wrong type", f"{value};1") for value in bad] + [("n has the wrong type", ";1.5")]
    assert [(rule, text) for _, rule, text in landed.rejected] == rejected


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("a\x1b[31mred\x1b[0m\x1b]0;title\x07,b", r"a\x1b[31mred\x1b[0m\x1b]0;title\x07,b"),
        (
            "order_id,product_id,unit_price,quantity,discount\xa0",
            r"order_id,product_id,unit_price,quantity,'discount\xa0'",
        ),
        ("order_id,product_id,unit_price,quantity,discount ", "order_id,product_id,unit_price,quantity,'discount '"),
    ],
)
def test_what_a_header_hides_is_shown(land, header, found):
    with pytest.raises(StepFailed) as failure:
        land(f"{header}\n1,2\n".encode())
    assert str(failure.value).endswith(f"found {found}")


def test_a_single_text_column(land):
    shape = CsvShape(table="names", delimiter=",", columns={"name": "VARCHAR"})
    landed = land(b'name\n\nplain\n\n\r\n"quo""ted, with a comma"\n \ntwo,fields\nlast', shape)
    assert landed.rows == [("plain",), ('quo"ted, with a comma',), (" ",), ("last",)]
    assert landed.rejected == [(8, "wrong number of columns", "two,fields")]


def test_the_original_file_is_left_alone(tmp_path):
    path = tmp_path / "lines.csv"
    data = b"\xef\xbb\xbf" + HEADER + b'1,2,"3\r\n\n1,1,1,1,1'
    path.write_bytes(data)
    first, second = read(path), read(path)
    assert path.read_bytes() == data
    assert first == second


# A second, slow reader: what a line is, and which lines are beyond doubt.


def lines_of(data: bytes) -> list[bytes]:
    """The physical lines after the header; an end is LF or CRLF, and the last line needs none."""
    *ended, last = data.removeprefix(HEADER).split(b"\n")
    return [line.removesuffix(b"\r") for line in ended] + ([last] if last else [])


def fields_of(line: bytes) -> list[str] | None:
    """The fields of a line that is plain CSV beyond doubt, else None."""
    try:
        text = line.decode()
        if "\0" in text or "\r" in text or re.search(r'[^,"]"[^,"]|^[^,"]+"|"[^,"]+$', text):
            return None
        return next(csv.reader([text], strict=True), None)
    except (UnicodeDecodeError, csv.Error):
        return None


def good_row(line: bytes) -> tuple | None:
    """The values of a line that must be accepted, else None."""
    fields = fields_of(line)
    whole, decimal = r"(-?\d{1,9})?", r"(-?\d{1,8}(\.\d{1,10})?)?"
    patterns = (whole, whole, decimal, whole, decimal)
    if fields is None or len(fields) != 5:
        return None
    if not all(re.fullmatch(pattern, field, re.ASCII) for pattern, field in zip(patterns, fields, strict=True)):
        return None
    return row(*(field or None for field in fields))


def must_be_rejected(line: bytes) -> bool:
    fields = fields_of(line)
    return b"\0" in line or b"\r" in line or b"\xff" in line or (fields is not None and len(fields) != 5)


TOKENS = [b",", b'"', b'""', b"\r", b"1", b"23", b"4.5", b"a", b" ", b"\0", "é".encode(), b"\xff", b"-", b".", b'","']
NASTY = st.lists(st.sampled_from(TOKENS), max_size=12).map(b"".join)
FIELD = st.sampled_from([b"1", b"23", b"-4", b"", b'"5"', b'""', b"6.5", b"7.0", b"a", b'"1,2"', b'"a""b"', b" 8"])
NEARLY_GOOD = st.lists(FIELD, min_size=4, max_size=6).map(b",".join)
GOOD = st.tuples(*[st.sampled_from([b"1", b"20", b'"3"'])] * 5).map(b",".join)
FILE = st.lists(st.tuples(st.one_of(NASTY, NEARLY_GOOD, GOOD), st.sampled_from([b"\n", b"\r\n"])), max_size=40)


@settings(max_examples=int(os.environ.get("TRADEWINDS_EXAMPLES", "20")), deadline=None)
@given(file=FILE, is_ended=st.booleans())
@example(file=[(b'1,2,"3', b"\n"), (b"1,2,3,4,5", b"\n"), (b'6,7,8",9,1', b"\n")], is_ended=True)
@example(file=[(b"1,2,3,4,5\r", b"\r\n"), (b"\r", b"\n")], is_ended=False)
def test_every_line_is_accepted_or_rejected_once(tmp_path_factory, file, is_ended):
    data = HEADER + b"".join(line + end for line, end in file)
    if not is_ended and file:
        data = data.removesuffix(file[-1][1])
    path = tmp_path_factory.mktemp("property") / "lines.csv"
    path.write_bytes(data)
    landed = read(path)

    lines = {number: line for number, line in enumerate(lines_of(data), start=2) if line}
    rejected = landed.rejected_lines
    assert len(landed.rows) + len(rejected) == len(lines)
    assert rejected == sorted(set(rejected))
    accepted = [number for number in lines if number not in rejected]
    assert len(accepted) == len(landed.rows)  # so every reject is the number of a line
    for number, values in zip(accepted, landed.rows, strict=True):
        assert not must_be_rejected(lines[number])
        assert values == (good_row(lines[number]) or values)
    for number, _, text in landed.rejected:
        assert good_row(lines[number]) is None
        assert text == lines[number].decode(errors="backslashreplace").replace("\0", r"\x00")
