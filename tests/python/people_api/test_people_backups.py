"""A backup restores the whole table; a restore that would break keys is refused, naming the rows."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import fastavro
import psycopg
import pytest
from sqlalchemy import BigInteger, Boolean, DateTime, Engine, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.settings import Home
from ingestion.stores import open_store
from people_api.backups import TABLES, back_up, restore, restore_from
from people_api.backups.schemas import SCHEMAS
from people_api.database import open_engine
from people_api.database.models import Base
from tests.python.avro_files import (
    ODD_NAMES,
    backups_in,
    block,
    contents,
    fill,
    header,
    make_odd_people,
    named_row,
    rehash,
    rejected_row,
)
from tests.python.sandbox import Database

WIPE = "truncate departments, jobs, employees, rejected_rows restart identity"


@pytest.fixture
def people(server: EmbeddedPostgres) -> Database:
    return make_odd_people(server)


@pytest.fixture
def engine(people: Database) -> Iterator[Engine]:
    with open_engine(people.url, connections=4, timeout_seconds=20) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "backups")


def test_the_schemas_are_those_of_the_models() -> None:
    kinds = {
        Integer: "int",
        BigInteger: "long",
        Boolean: "boolean",
        Text: "string",
        Uuid: {"type": "string", "logicalType": "uuid"},
        DateTime: {"type": "long", "logicalType": "timestamp-micros"},
        ARRAY: {"type": "array", "items": "string"},
    }
    for table in TABLES:
        columns = Base.metadata.tables[table].columns
        assert not any(column.nullable for column in columns)
        expected = [{"name": column.name, "type": kinds[type(column.type)]} for column in columns]
        assert SCHEMAS[table] == {"type": "record", "name": table, "fields": expected}


def test_a_wiped_database_is_restored_equal(people: Database, engine: Engine, store: str) -> None:
    before = contents(people)
    taken = {table: back_up(engine, table, store) for table in TABLES}
    people.execute(WIPE)
    assert not any(contents(people).values())
    for table in TABLES:
        assert restore(engine, table, store) == taken[table]
    assert contents(people) == before
    assert len(before["employees"]) == taken["employees"].rows == len(ODD_NAMES)


def test_a_table_is_restored_over_rows_that_others_point_to(people: Database, engine: Engine, store: str) -> None:
    """Departments that stay are never taken away, so employees needn't be."""
    before = contents(people)
    for table in TABLES:
        back_up(engine, table, store)
    people.execute("insert into departments values (77, 'new', true)")
    people.execute("update departments set name = 'other', is_active = not is_active where id < 5")
    people.execute("update employees set name = 'other', job_id = 1 where id < 5")
    # Two rows' keys change places: an update of one would meet the other's.
    for row, key in ((1, 0), (3, 2**63 - 1), (1, 2**63 - 3)):
        people.execute(f"update rejected_rows set row_number = {key} where id = {row}")
    for table in TABLES:
        restore(engine, table, store)
    assert contents(people) == before


def test_empty_tables_are_backed_up_too(people: Database, engine: Engine, store: str) -> None:
    people.execute(WIPE)
    for table in TABLES:
        assert back_up(engine, table, store).rows == 0
    fill(people)
    for table in reversed(TABLES):
        restore(engine, table, store)
    assert not any(contents(people).values())


def test_restored_rejects_leave_the_next_id_free(people: Database, engine: Engine, store: str) -> None:
    back_up(engine, "rejected_rows", store)
    people.execute(WIPE)
    restore(engine, "rejected_rows", store)
    people.execute(
        "insert into rejected_rows (batch_id, table_name, source, row_number, payload, reasons) "
        "values (gen_random_uuid(), 'jobs', 'api', 1, '', '{}')"
    )
    assert people.query("select max(id), count(*) from rejected_rows") == [(len(ODD_NAMES) + 1,) * 2]


def test_old_backups_are_kept_and_named(people: Database, engine: Engine, store: str, tmp_path: Path) -> None:
    first = back_up(engine, "jobs", store)
    before = contents(people)
    people.execute("update jobs set name = 'other'")
    second = back_up(engine, "jobs", store)
    assert list(backups_in(store, "jobs")) == [second.name, first.name]
    files = {path.name for path in (tmp_path / "backups" / "jobs").iterdir()}
    assert files == {one.name + suffix for one in (first, second) for suffix in ("", ".json")}
    assert re.fullmatch(rf"jobs-\d{{8}}T\d{{12}}Z-{first.sha256[:12]}\.avro", first.name)
    said = backups_in(store, "jobs")[first.name]
    assert (said["rows"], said["sha256"], said["schema"]) == (first.rows, first.sha256, SCHEMAS["jobs"])
    restore(engine, "jobs", store, first.name)
    assert contents(people) == before
    assert restore(engine, "jobs", store) == second


def test_another_reader_of_avro_reads_types_and_nulls(people: Database, engine: Engine, store: str) -> None:
    with open(back_up(engine, "employees", store).location, "rb") as file:  # noqa: PTH123
        rows = [tuple(row.values()) for row in fastavro.reader(file)]
    assert rows == contents(people)["employees"]


def test_text_that_repeats_itself_can_be_backed_up(people: Database, engine: Engine, store: str) -> None:
    """It packs a thousandfold, as a bomb does: a batch of blanks mustn't stand in the way of every backup."""
    people.execute(
        "insert into rejected_rows (batch_id, table_name, source, row_number, payload, reasons) "
        "select gen_random_uuid(), 'jobs', 'api', n, repeat(' ', 1000000), '{}' from generate_series(1, 80) as n"
    )
    before = contents(people)
    back_up(engine, "rejected_rows", store)
    people.execute(WIPE)
    restore(engine, "rejected_rows", store)
    assert contents(people)["rejected_rows"] == before["rejected_rows"]


def test_a_backup_is_of_one_moment(people: Database, engine: Engine, store: str) -> None:
    """A writer adds two jobs a transaction all the while: no backup has one of a pair."""
    done = Event()

    def write() -> None:
        with psycopg.connect(people.url) as connection:
            for pair in range(100, 100_000, 2):
                if done.is_set():
                    return
                connection.execute("insert into jobs values (%s, '', true), (%s, '', true)", (pair, pair + 1))
                connection.commit()

    with ThreadPoolExecutor(3) as pool:
        writer = pool.submit(write)
        try:
            both = [list(pool.map(lambda _: back_up(engine, "jobs", store), range(2))) for _ in range(5)]
        finally:
            done.set()
        writer.result()
    counts = [one.rows for pair in both for one in pair]
    assert all(count % 2 == 0 for count in counts)
    assert max(counts) > min(counts)
    assert len({one.name for pair in both for one in pair}) == len(backups_in(store, "jobs")) == 10


def test_two_restores_at_once_leave_one_of_the_two(people: Database, engine: Engine, store: str) -> None:
    states = {}
    for name in ("one", "two"):
        people.execute(f"update departments set name = '{name}'")
        states[back_up(engine, "departments", store).name] = contents(people)
    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda name: restore(engine, "departments", store, name), states))
        assert contents(people) in states.values()


def test_a_restore_that_leaves_employees_without_is_refused(people: Database, engine: Engine, store: str) -> None:
    people.execute("insert into jobs values (50, 'kept', true)")
    for table in ("departments", "jobs"):
        people.execute("delete from employees")
        people.execute(f"delete from {table} where id < 10")
        back_up(engine, table, store)
    people.execute(WIPE)
    fill(people)
    before = contents(people)
    with pytest.raises(Refused, match=r"employees .* departments \(9\): 1 \(department_id 1\), 2 .*5 .*, …$"):
        restore(engine, "departments", store)
    people.execute("update employees set job_id = 4 where id in (2, 8)")
    with pytest.raises(Refused, match=r"employees .* jobs \(2\): 2 \(job_id 4\), 8 \(job_id 4\)$"):
        restore(engine, "jobs", store)
    people.execute("update employees set job_id = 2147483647")
    assert contents(people) == before


def test_employees_without_department_or_job_are_refused(people: Database, engine: Engine, store: str) -> None:
    back_up(engine, "employees", store)
    people.execute("delete from employees")
    people.execute("delete from departments where id in (3, 4)")
    people.execute("delete from jobs where id > 100")
    before = contents(people)
    with pytest.raises(Refused, match=r"departments \(2\): 3 \(.*\), 4 \(.*\); employees .* jobs \(9\): 1 "):
        restore(engine, "employees", store)
    assert contents(people) == before


def test_an_id_that_is_there_twice_is_refused(people: Database, engine: Engine, store: str) -> None:
    before = contents(people)
    path = Path(back_up(engine, "jobs", store).location)
    twice = header(SCHEMAS["jobs"]) + block(3, named_row(7, "a") + named_row(8, "b") + named_row(7, "c"))
    rehash(path, twice, rows=3)
    with pytest.raises(Refused, match=r"values of id that are there more than once \(1\): 7;"):
        restore(engine, "jobs", store)
    path = Path(back_up(engine, "rejected_rows", store).location)
    said = [rejected_row(row, key) for row, key in ((1, 4), (2, 5), (3, 4))]
    rehash(path, header(SCHEMAS["rejected_rows"]) + block(3, b"".join(said)), rows=3)
    with pytest.raises(Refused, match=r"batch_id, row_number that .* \(1\): 00000000-0000-0000-0000-000000000000 4$"):
        restore(engine, "rejected_rows", store)
    assert contents(people) == before


def test_only_names_of_the_tables_own_backups_are_taken(people: Database, engine: Engine, store: str) -> None:
    good = back_up(engine, "jobs", store)
    for name in (
        "",
        good.location,
        f"../jobs/{good.name}",
        f"./{good.name}",
        f"{good.name}\n",
        f"{good.name}.json",
        good.name.replace("jobs", "departments"),
        "..",
        "nothing.avro",
    ):
        with pytest.raises(BadRequest, match="no name of a backup of jobs"):
            restore(engine, "jobs", store, name)
    with pytest.raises(StepFailed, match=r"sidecar .* is missing"):
        restore(engine, "jobs", store, good.name.replace("2", "1"))
    with pytest.raises(StepFailed, match="there is no backup in"):
        restore(engine, "departments", store)
    for act in (back_up, restore):
        with pytest.raises(BadRequest, match="the tables are departments, jobs, employees, rejected_rows"):
            act(engine, "api_keys", store)


def test_a_hire_that_isnt_committed_yet_is_waited_for(people: Database, engine: Engine, store: str) -> None:
    back_up(engine, "departments", store)
    people.execute("insert into departments values (77, 'new', true)")
    with psycopg.connect(people.url) as writer, ThreadPoolExecutor(1) as pool:
        writer.execute("insert into employees values (500, 'late', now(), 77, 1, true)")
        restoring = pool.submit(restore, engine, "departments", store)
        people.wait_for_waiting()
        writer.commit()
        with pytest.raises(Refused, match=r"departments \(1\): 500 \(department_id 77\)$"):
            restoring.result()
    assert people.query("select count(*) from employees where department_id = 77") == [(1,)]


def test_a_restore_waits_for_a_writer_only_so_long(
    people: Database, engine: Engine, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("people_api.backups.replacing._LOCK_TIMEOUT", "200ms")
    back_up(engine, "jobs", store)
    with psycopg.connect(people.url) as writer:
        writer.execute("update jobs set name = 'held'")
        with pytest.raises(StepFailed, match="lock timeout"):
            restore(engine, "jobs", store)


def test_stores_that_cannot_be_used_end_in_one_line(
    people: Database, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StepFailed, match="jobs can't be backed up to"):
        back_up(engine, "jobs", str(tmp_path / "file"))
    monkeypatch.setenv("TRADEWINDS_BACKUPS_URL", "gs://bucket")
    with pytest.raises(BadRequest, match="TRADEWINDS_BACKUPS_URL"):
        _ = Home(tmp_path).backups
    monkeypatch.setenv("TRADEWINDS_BACKUPS_URL", f"file://{tmp_path}/elsewhere")
    assert Home(tmp_path).backups == f"{tmp_path}/elsewhere"
    monkeypatch.delenv("TRADEWINDS_BACKUPS_URL")
    assert Home(tmp_path).backups == f"{tmp_path}/backups"


def test_a_row_that_no_backup_can_hold_ends_in_one_line(people: Database, engine: Engine, store: str) -> None:
    for reasons in ("{NULL}", "{{a},{b}}"):
        people.execute(f"update rejected_rows set reasons = '{reasons}' where id = 3")
        with pytest.raises(StepFailed, match="rejected_rows can't be backed up"):
            back_up(engine, "rejected_rows", store)
    people.execute("update rejected_rows set reasons = '{}', rejected_at = 'infinity' where id = 3")
    with pytest.raises(StepFailed, match="rejected_rows can't be backed up"):
        back_up(engine, "rejected_rows", store)
    assert not backups_in(store, "rejected_rows")


def test_a_backup_says_when_it_was_taken(engine: Engine, store: str, tmp_path: Path) -> None:
    taken = back_up(engine, "jobs", store)
    assert abs(datetime.now(UTC) - taken.taken_at) < timedelta(minutes=1)
    assert restore_from(engine, "jobs", open_store(f"{store}/jobs", tmp_path), taken.name).taken_at == taken.taken_at
