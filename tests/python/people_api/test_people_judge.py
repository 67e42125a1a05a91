"""The judge gives every reason against a row; of rows with the same id it accepts one.

TRADEWINDS_DATE_EXAMPLES says how many dates are made by chance.
"""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Barrier
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from people_api.api.strict_json import read_json
from people_api.database import open_engine
from people_api.dictionary import MAX_ID
from people_api.intake import Outcome, Rows, in_transaction, take_in
from people_api.judge import judge_shapes
from people_api.tables import TABLES
from tests.python.people_service import employee
from tests.python.sandbox import Database

RANGE = f"not between 1 and {MAX_ID}"
NO_DATE = "not ISO-8601 in UTC that ends in Z, or no day of 1900–2199"
NO_NAME = "blank, or with a control character"
ABSENT = object()
# By what is said of them.
BAD_IDS = {
    "missing": [ABSENT, None],
    "not an integer": ["12", "", 12.5, True, float("nan"), float("inf"), [1], {"id": 1}],
    RANGE: [0, -1, MAX_ID + 1, 2**63, 10**400],
}
BAD_NAMES = {
    "missing": [ABSENT, None, "", " \t ", "\u00a0\u2003"],
    "not a text": [5, ["x"], float("nan")],
    "longer than 255 characters": ["x" * 256],
    NO_NAME: ["a\x00b", "a\tb", "a\nb", "a\x7fb", "a\x85b"],
    "not Unicode text": ["\ud800", "a\udfffb"],
}
BAD_DATES = {
    "missing": [ABSENT, None, ""],
    "not a text": [1627401728],
    NO_DATE: [
        *("2021-07-27", "2021-07-27T16:02:08", "2021-07-27T16:02:08+00:00", "2021-07-27t16:02:08z"),
        *("2021-07-27 16:02:08Z", "2021-07-27T16:02:08Z\n", " 2021-07-27T16:02:08Z"),
        *("2021-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2021-13-01T00:00:00Z", "2021-04-31T00:00:00Z"),
        *("2021-07-27T24:00:00Z", "2021-06-30T23:59:60Z", "2021-07-27T16:02:08.1234567Z"),
        *("1899-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "٢٠٢١-07-27T16:02:08Z", "infinity"),
    ],
    "not Unicode text": ["\ud800"],
}
BAD_VALUES = {"id": BAD_IDS, "department_id": BAD_IDS, "job_id": BAD_IDS, "name": BAD_NAMES, "hiring_date": BAD_DATES}
GOOD_VALUES = {
    "id": [1, MAX_ID],
    "department_id": [1, MAX_ID],
    "name": ["x", "x" * 255, "Zoë O'Brien", " padded ", "数据 🚢", "=cmd()", "NULL", "{a,b}", "\u202e"],
    "hiring_date": [
        "1900-01-01T00:00:00Z",
        "2199-12-31T23:59:59.999999Z",
        "2024-02-29T12:00:00Z",
        "2000-02-29T12:00:00Z",
        "2021-07-27T16:02:08.5Z",
    ],
}


def reasons_against(row: Any, table: str = "employees") -> list[str]:
    """Return what the dictionary alone has against a row."""
    (verdict,) = judge_shapes(TABLES[table], [row])
    assert (not verdict.values) == bool(verdict.reasons)
    return verdict.reasons


def with_value(field: str, value: Any) -> dict[str, Any]:
    row = employee(7) | {field: value}
    return {name: said for name, said in row.items() if said is not ABSENT}


@pytest.mark.parametrize("field", BAD_VALUES)
def test_a_bad_value_is_rejected_for_its_reason_alone(field):
    for reason, bad in BAD_VALUES[field].items():
        for value in bad:
            assert reasons_against(with_value(field, value)) == [f"{field}: {reason}"], repr(value)


@pytest.mark.parametrize("field", GOOD_VALUES)
def test_the_borders_of_what_is_good_are_good(field):
    for value in GOOD_VALUES[field]:
        assert reasons_against(with_value(field, value)) == []


@pytest.mark.parametrize("row", [None, 5, "x", True, [], [1, "Sales"], float("nan")], ids=repr)
def test_what_is_no_object_is_no_row(row):
    assert reasons_against(row) == ["row: not an object"]


def test_a_row_is_told_every_reason_at_once():
    row = {"id": "1", "name": " ", "hiring_date": "soon", "department_id": 0, "salary": 1, "is_active": False}
    assert sorted(reasons_against(row)) == [
        f"department_id: {RANGE}",
        f"hiring_date: {NO_DATE}",
        "id: not an integer",
        "is_active: unknown field",
        "job_id: missing",
        "name: missing",
        "salary: unknown field",
    ]


def test_names_of_unknown_fields_are_shown_short_and_harmless():
    (reason,) = reasons_against({"id": 1, "name": "x", "\x1b[31m" + "y" * 500: 1}, "jobs")
    assert reason.isprintable()
    assert reason.startswith("\\x1b[31myyy")
    assert len(reason) < 90


def test_a_field_whose_name_is_half_a_character_is_said_to_be_that():
    assert reasons_against({"id": 1, "name": "x", "\ud800": 1}, "jobs") == [
        "row: names a field that is not Unicode text"
    ]


@pytest.mark.parametrize(
    ("number", "field", "reasons"),
    [
        ("12.0", "id", []),
        ("1.2e1", "id", []),
        ("12.5", "id", ["id: not an integer"]),
        ("1e400", "id", ["id: not an integer"]),
        ("-0", "id", [f"id: {RANGE}"]),
        ("9" * 100_000, "id", [f"id: {RANGE}"]),
        ("9" * 100_000, "name", ["name: not a text"]),
    ],
    ids=lambda value: str(value)[:9],
)
def test_numbers_of_json_are_judged_by_what_they_say(number, field, reasons):
    """12.0 is 12 (RFC 8259 has one kind of number); digits that nobody should have to read are out of range."""
    row = {"id": "1", "name": '"x"'} | {field: number}
    (value,), (text,) = read_json(f'[ {{"id": {row["id"]}, "name": {row["name"]}}} ]'.encode())
    assert reasons_against(value, "jobs") == reasons
    assert text == f'{{"id": {row["id"]}, "name": {row["name"]}}}'


SCALARS = st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers(-(10**18), 10**18) | st.text()


@given(
    st.lists(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=9)),
    st.sampled_from([None, 1]),
)
def test_an_array_is_read_as_any_other_reader_reads_it_with_the_text_of_each_item(value, indent):
    read, texts = read_json(f"\n {json.dumps(value, indent=indent)}\t".encode())
    assert read == value
    assert [json.loads(text) for text in texts] == value


@pytest.mark.parametrize(
    "body",
    ["[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "[1] x", "[", "]", "", " ", "[1}", "{", "nul", "['a']", "\ufeff[]"],
)
def test_what_is_no_json_is_not_read(body):
    with pytest.raises(ValueError):  # noqa: PT011
        read_json(body.encode())


def is_hiring_date(text: str) -> bool:
    """Judge a hiring date by the calendar of `datetime`, which writes it back the same only when it is canonical."""
    whole, dot, fraction = text.removesuffix("Z").partition(".")
    if not text.endswith("Z") or (dot and not (fraction.isascii() and fraction.isdigit() and len(fraction) <= 6)):
        return False
    try:
        moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    return moment.strftime("%Y-%m-%dT%H:%M:%S") == whole and 1900 <= moment.year <= 2199


def _digits(least: int, most: int, width: int) -> st.SearchStrategy[str]:
    return st.integers(least, most).map(lambda number: f"{number:0{width}d}")


NEAR_DATES = st.builds(
    "{}-{}-{}T{}:{}:{}{}{}".format,
    _digits(1895, 2205, 4),
    _digits(0, 13, 2),
    _digits(0, 32, 2),
    _digits(0, 25, 2),
    _digits(0, 61, 2),
    _digits(0, 61, 2),
    st.sampled_from(["", "", ".", ".5", ".123456", ".1234567", ".٣", ".5e1", ".-1"]),
    st.sampled_from(["Z", "Z", "Z", "z", "", "+00:00", "Z\n", "ZZ", " Z"]),
)
CALENDAR_DAYS = st.datetimes(datetime(1890, 1, 1), datetime(2210, 1, 1)).map(lambda moment: f"{moment.isoformat()}Z")  # noqa: DTZ001


@given(st.one_of(NEAR_DATES, CALENDAR_DAYS, st.text("0123456789-:TZ.+ ", max_size=30)))
@example("1900-02-29T00:00:00Z")
@example("0000-01-01T00:00:00Z")
@settings(max_examples=int(os.environ.get("TRADEWINDS_DATE_EXAMPLES", "500")), deadline=None)
def test_a_hiring_date_is_good_when_the_calendar_says_so(text):
    expected = [] if is_hiring_date(text) else [f"hiring_date: {NO_DATE if text.strip() else 'missing'}"]
    assert reasons_against(employee(7, hiring_date=text)) == expected


def test_every_day_of_three_centuries_is_good_and_the_days_around_them_are_not():
    first = datetime(1899, 12, 25, 12, tzinfo=UTC)
    days = [first + timedelta(days=number) for number in range(110_000)]
    rows = [employee(7, hiring_date=f"{day:%Y-%m-%dT%H:%M:%S}Z") for day in days]
    verdicts = judge_shapes(TABLES["employees"], rows)
    assert [verdict.is_accepted for verdict in verdicts] == [1900 <= day.year <= 2199 for day in days]


@pytest.fixture
def engine(new_people_database):
    """The engine of a people database with department 1 and job 1 in it."""
    database: Database = new_people_database()
    with open_engine(database.url, connections=16, timeout_seconds=60) as engine:
        for table in ("departments", "jobs"):
            database.execute(f"insert into {table} values (1, 'one'), (2, 'two')")
        engine.database = database
        yield engine


def _take(engine, rows: list[Any], table: str = "employees", **options: Any) -> Outcome:
    batch = Rows(TABLES[table], uuid4(), "api", rows, [repr(row) for row in rows])
    return in_transaction(engine, lambda connection: take_in(connection, batch, **options))


def test_what_only_the_database_knows_is_a_reason_too(engine):
    assert _take(engine, [employee(1)]).accepted == 1
    outcome = _take(
        engine,
        [
            employee(1),
            employee(2),
            employee(2),
            employee(3, department_id=9, job_id=MAX_ID),
            employee(1, job_id=9),
            employee(2, name=""),
            employee(4, job_id=2),
        ],
    )
    assert outcome.rejects == {
        1: ["id: employees has 1 already"],
        3: ["id: 2 is row 2's already"],
        4: ["department_id: departments has no 9", f"job_id: jobs has no {MAX_ID}"],
        5: ["job_id: jobs has no 9", "id: employees has 1 already"],
        6: ["name: missing"],
    }
    assert (outcome.accepted, outcome.inserted) == (2, 2)
    assert engine.database.query("select id, job_id from employees order by id") == [(1, 1), (2, 1), (4, 2)]
    logged = engine.database.query("select row_number, reasons, payload from rejected_rows order by row_number")
    assert {row: reasons for row, reasons, _ in logged} == outcome.rejects
    assert logged[0][2] == repr(employee(1))


def test_a_row_that_is_rejected_leaves_its_id_to_the_next(engine):
    outcome = _take(engine, [employee(5, job_id=9), employee(5)])
    assert outcome.rejects == {1: ["job_id: jobs has no 9"]}
    assert engine.database.query("select id from employees") == [(5,)]


def test_a_parent_that_is_no_longer_active_is_still_a_parent(engine):
    engine.database.execute("update departments set is_active = false where id = 1")
    assert _take(engine, [employee(1)]).accepted == 1


def test_batches_that_want_the_same_ids_share_them_out_and_every_loser_is_logged(engine):
    """Eight writers at once, each with the same 300 ids in an order of its own, five rounds."""
    writers, ids, rounds = 8, 300, 5
    together = Barrier(writers)

    def write(writer: int) -> list[Outcome]:
        outcomes = []
        for turn in range(rounds):
            wanted = [turn * ids + number for number in range(1, ids + 1)]
            Random(writer).shuffle(wanted)
            together.wait(60)
            outcomes.append(_take(engine, [employee(id_, name=f"of {writer}") for id_ in wanted]))
        return outcomes

    with ThreadPoolExecutor(writers) as pool:
        outcomes = [outcome for of_writer in pool.map(write, range(writers)) for outcome in of_writer]
    rejected = [reasons for outcome in outcomes for reasons in outcome.rejects.values()]
    assert sum(outcome.accepted for outcome in outcomes) == ids * rounds
    assert len(rejected) == ids * rounds * (writers - 1)
    assert all(len(said) == 1 and re.fullmatch(r"id: employees has \d+ already", said[0]) for said in rejected)
    assert engine.database.query("select count(*), count(distinct id) from employees") == [(ids * rounds,) * 2]
    assert engine.database.query("select count(*) from rejected_rows") == [(len(rejected),)]


def test_a_parent_that_goes_while_the_batch_waits_is_found_missing(engine):
    with psycopg.connect(engine.database.url) as other, ThreadPoolExecutor(1) as pool:
        other.execute("delete from departments where id = 1")
        waiting = pool.submit(_take, engine, [employee(1), employee(2, department_id=2)])
        engine.database.wait_for_waiting()
        other.commit()
        outcome = waiting.result(60)
    assert outcome.rejects == {1: ["department_id: departments has no 1"]}
    assert engine.database.query("select id from employees") == [(2,)]
    assert engine.database.query("select count(*) from rejected_rows") == [(1,)]


def test_an_id_whose_owner_takes_it_back_is_free(engine):
    """Another writer holds the id, the batch waits for it, and gets it when that writer gives up."""
    with psycopg.connect(engine.database.url) as other, ThreadPoolExecutor(1) as pool:
        other.execute("insert into jobs values (3, 'theirs')")
        waiting = pool.submit(_take, engine, [{"id": 3, "name": "ours"}], "jobs")
        engine.database.wait_for_waiting()
        other.rollback()
        assert waiting.result(60).accepted == 1
    assert engine.database.query("select name from jobs where id = 3") == [("ours",)]
