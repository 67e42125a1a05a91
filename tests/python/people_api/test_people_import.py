"""CSV imports: each line is accepted or rejected, and importing a file twice changes nothing."""

import csv
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import StepFailed
from ingestion.rejects import read_caps
from ingestion.samples.defaults import sample_people
from ingestion.settings import PROJECT, Home
from people_api.csv_lines import read_lines
from people_api.database import migrate, open_engine, people_database
from people_api.importing import import_files, refuse_wrong_files
from people_api.intake import in_transaction
from people_api.sample import clear_sample, fill_when_empty
from people_api.tables import TABLES
from tests.python.people_api.test_people_judge import is_hiring_date
from tests.python.people_service import PeopleService
from tests.python.sandbox import Database, Sandbox

ALL_TABLES = ("departments", "jobs", "employees", "rejected_rows", "imports")
GOOD_HIRE = "2021-07-27T16:02:08Z"


@pytest.fixture
def engine(new_people_database):
    """The engine of an empty people database; `database` of it is the database."""
    database: Database = new_people_database()
    with open_engine(database.url, connections=4) as engine:
        engine.database = database
        yield engine


@pytest.fixture(scope="session")
def sample_files(server: EmbeddedPostgres) -> dict[str, Path]:
    """The generated people files, which have faults in them."""
    return sample_people(Home(server.home))


def take(engine, **files: Path) -> dict[str, tuple[int, int, int]]:
    """Import files, and return lines accepted, inserted and rejected by table."""
    imported = import_files(lambda work: in_transaction(engine, work), files)
    return {file.table: (file.accepted, file.inserted, file.rejected) for file in imported}


def everything(database: Database) -> dict[str, list[tuple]]:
    """Return every row of every table, its place on disk and its writer with it: what is written anew shows."""
    return {table: database.query(f"select ctid, xmin, * from {table} order by ctid") for table in ALL_TABLES}


def reasons(database: Database) -> dict[int, list[str]]:
    return dict(database.query("select row_number, reasons from rejected_rows"))


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def good_lines(path: Path, parents: dict[str, set[str]]) -> set[str]:
    """Return the ids of a file's good lines, as anyone would judge them who has read the dictionary."""
    good = set()
    for cells in csv.reader(path.open(encoding="utf-8", newline="")):
        is_hire = len(cells) == 5
        is_good = all(cells) and (not is_hire or is_hiring_date(cells[2]))
        if is_good and is_hire:
            is_good = cells[3] in parents["departments"] and cells[4] in parents["jobs"]
        good |= {cells[0]} if is_good else set()
    return good


def test_every_line_of_the_sample_is_accepted_or_rejected_as_a_person_would_have_it(engine, sample_files):
    counts, good = take(engine, **sample_files), {}
    for table, path in sample_files.items():
        good[table] = good_lines(path, good)
        lines = len(path.read_text(encoding="utf-8").splitlines())
        stored = {str(id_) for (id_,) in engine.database.query(f"select id from {table}")}
        assert stored == good[table]
        assert counts[table] == (len(good[table]), len(good[table]), lines - len(good[table]))
    assert counts["employees"][2] > 0
    logged = engine.database.query("select row_number, payload, source, reasons from rejected_rows")
    lines = sample_files["employees"].read_text(encoding="utf-8").splitlines()
    assert all(
        payload == lines[row - 1] and source == "employees.csv" and said for row, payload, source, said in logged
    )


def test_the_same_files_again_change_nothing_at_all(engine, sample_files):
    first = take(engine, **sample_files)
    before = everything(engine.database)
    again = take(engine, **sample_files)
    assert everything(engine.database) == before
    assert again == {table: (accepted, 0, rejected) for table, (accepted, _, rejected) in first.items()}


def test_a_file_under_another_name_is_the_same_file(engine, tmp_path):
    take(engine, jobs=write(tmp_path / "one.csv", "1,one\n,two\n"))
    before = everything(engine.database)
    take(engine, jobs=write(tmp_path / "two.csv", "1,one\n,two\n"))
    assert everything(engine.database) == before


def test_a_header_says_the_order_of_the_fields_and_is_no_row(engine, tmp_path):
    header = '\ufeffJob_ID, "name",hiring_date,department_id,id\r\n'
    take(engine, departments=write(tmp_path / "d.csv", "1,one"), jobs=write(tmp_path / "j.csv", "ID,NAME\n2,two\n"))
    rows = write(tmp_path / "e.csv", header + f'2,"Vogt, Harold",{GOOD_HIRE},1,7\r\n9,x,{GOOD_HIRE},1,8\r\n')
    assert take(engine, employees=rows) == {"employees": (1, 1, 1)}
    assert engine.database.query("select id, name, department_id, job_id from employees") == [(7, "Vogt, Harold", 1, 2)]
    assert reasons(engine.database) == {3: ["job_id: jobs has no 9"]}


def test_a_first_line_with_a_number_is_a_row_whatever_its_name(engine, tmp_path):
    assert take(engine, jobs=write(tmp_path / "j.csv", "1,Name\n2,id\n")) == {"jobs": (2, 2, 0)}


@pytest.mark.parametrize("header", ["id,title\n", "id\n", "name,id,extra\n", "id,name,id\n"])
def test_a_wrong_header_stops_the_import_before_its_first_row(engine, tmp_path, header):
    departments = write(tmp_path / "d.csv", "1,one\n")
    with pytest.raises(StepFailed, match=r"j\.csv: the header must name id, name; it names "):
        take(engine, departments=departments, jobs=write(tmp_path / "j.csv", header + "1,one\n"))
    assert engine.database.query("select count(*) from departments") == [(0,)]


def test_a_file_that_is_missing_stops_the_import_before_its_first_row(engine, tmp_path):
    with pytest.raises(StepFailed, match=r"none\.csv can't be read: No such file"):
        take(engine, departments=write(tmp_path / "d.csv", "1,one\n"), jobs=tmp_path / "none.csv")
    with pytest.raises(StepFailed, match="/dev/zero can't be read: Not a regular file"):
        take(engine, departments=write(tmp_path / "d.csv", "1,one\n"), jobs=Path("/dev/zero"))
    assert engine.database.query("select count(*) from departments") == [(0,)]


BAD_LINES = {
    "line: empty": [b""],
    "id: missing": [b",x"],
    "name: missing": [b"5,", b"5, "],
    "id: not an integer": [b"five,x", b"5.0,x", b" 5,x", "٥,x".encode()],
    "id: not between 1 and 2147483647": [b"0,x", b"-5,x", b"9" * 30 + b",x"],
    "line: 1 field, not 2": [b"5", b"5;x"],
    "line: 3 fields, not 2": [b"5,x,"],
    "line: not CSV: unexpected end of data": [b'5,"x'],
    "line: not CSV: ',' expected after '\"'": [b'5,"x"y'],
    "line: not CSV: new-line character seen in unquoted field": [b"5,a\rb"],
    "name: blank, or with a control character": [b"5,a\0b", b"5,a\tb"],
    "line: not UTF-8": [b"5,\xff\xfe", b"5,\xed\xa0\x80"],
    "name: longer than 255 characters": [b"5," + b"x" * 256],
    "line: too long": [b"5," + b"x" * 300_000],
}


def test_a_line_that_can_not_be_read_is_rejected_alone_and_kept(engine, tmp_path):
    bad = [(line, reason) for reason, lines in BAD_LINES.items() for line in lines]
    content = b"1,first\n" + b"\n".join(line for line, _ in bad) + b'\r\n2,"the, last"'
    assert take(engine, jobs=write(tmp_path / "j.csv", content)) == {"jobs": (2, 2, len(bad))}
    assert engine.database.query("select id, name from jobs order by id") == [(1, "first"), (2, "the, last")]
    assert reasons(engine.database) == {number: [reason] for number, (_, reason) in enumerate(bad, 2)}
    payloads = dict(engine.database.query("select row_number, payload from rejected_rows"))
    for number, (line, _) in enumerate(bad, 2):
        expected = line.decode(errors="backslashreplace").replace("\0", "\\x00")
        assert expected.startswith(payloads[number])
        assert len(payloads[number]) == min(len(expected), 64 * 1024)


@pytest.mark.parametrize("content", ["", "\ufeff", "id,name\n"])
def test_a_file_without_rows_is_imported_to_its_end(engine, tmp_path, content):
    assert take(engine, jobs=write(tmp_path / "j.csv", content)) in ({"jobs": (0, 0, 0)}, {"jobs": (0, 0, 1)})
    assert engine.database.query("select count(*) from imports") == [(1,)]


def test_of_two_lines_with_one_id_the_first_stands_however_far_apart(engine, tmp_path):
    """An equal line is accepted and adds nothing; another one with the id is rejected; parts have 5,000 lines."""
    lines = [f"{number},job {number}" for number in range(1, 6_001)]
    lines[10], lines[5_500], lines[5_501] = "5,other", "5,job 5", "6,other"
    file = write(tmp_path / "j.csv", "\n".join(lines))
    assert take(engine, jobs=file) == {"jobs": (5_998, 5_997, 2)}
    assert reasons(engine.database) == {
        number: [f"id: jobs has {id_} already with other values"] for number, id_ in ((11, 5), (5_502, 6))
    }
    before = everything(engine.database)
    assert take(engine, jobs=file) == {"jobs": (5_998, 0, 2)}
    assert everything(engine.database) == before


def test_a_file_that_came_before_its_parents_is_mended_by_importing_it_again(engine, tmp_path):
    employees = write(tmp_path / "e.csv", f"1,x,{GOOD_HIRE},1,1\n2,,{GOOD_HIRE},1,1\n")
    assert take(engine, employees=employees) == {"employees": (0, 0, 2)}
    parents = {"departments": write(tmp_path / "d.csv", "1,one"), "jobs": write(tmp_path / "j.csv", "1,one")}
    assert take(engine, employees=employees, **parents)["employees"] == (1, 1, 1)
    assert reasons(engine.database) == {2: ["name: missing"]}
    noted = "select accepted_count, rejected_count from imports where table_name = 'employees'"
    assert engine.database.query(noted) == [(1, 1)]


def test_a_row_that_was_deleted_softly_stays_so_when_its_file_comes_again(engine, tmp_path):
    file = write(tmp_path / "j.csv", "1,one\n")
    take(engine, jobs=file)
    engine.database.execute("update jobs set is_active = false")
    assert take(engine, jobs=file) == {"jobs": (1, 0, 0)}
    assert engine.database.query("select is_active from jobs") == [(False,)]


def test_two_imports_of_one_file_at_once_count_as_one(engine, tmp_path):
    lines = [f"{number},{'' if number % 7 == 0 else f'job {number}'}" for number in range(1, 20_001)]
    file = write(tmp_path / "j.csv", "\n".join(lines))
    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda _: take(engine, jobs=file)["jobs"], range(3)))
    assert {(accepted, rejected) for accepted, _, rejected in counts} == {(17_143, 2_857)}
    assert sum(inserted for _, inserted, _ in counts) == 17_143
    assert engine.database.query("select count(*) from jobs") == [(17_143,)]
    assert engine.database.query("select count(*) from rejected_rows") == [(2_857,)]


def test_lines_are_streamed_whatever_their_length(tmp_path):
    """A line of 64 MB without an end, and fifty thousand short ones, in a few megabytes."""
    endless, many = BytesIO(b"x" * 2**26), tmp_path / "many.csv"
    many.write_text("".join(f"{number},job\n" for number in range(50_000)))
    tracemalloc.start()
    (line,) = read_lines(endless, TABLES["jobs"])
    with many.open("rb") as file:
        lines = sum(1 for _ in read_lines(file, TABLES["jobs"]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(line.text), lines) == (64 * 1024, 50_000)
    assert peak < 4 * 2**20


@pytest.fixture
def service(new_service) -> PeopleService:
    """A people database and the commands on it; nothing is served."""
    return new_service()


@pytest.fixture
def big_files(tmp_path: Path) -> dict[str, Path]:
    """30,000 employees, every fiftieth with a fault, and their parents."""
    lines = [f"{n},Employee {n},{GOOD_HIRE if n % 50 else 'soon'},1,1\n" for n in range(1, 30_001)]
    return {
        "departments": write(tmp_path / "departments.csv", "1,one\n"),
        "jobs": write(tmp_path / "jobs.csv", "1,one\n"),
        "employees": write(tmp_path / "employees.csv", "".join(lines)),
    }


def words(files: dict[str, Path]) -> list[str]:
    return ["import", *(word for table, path in files.items() for word in (f"--{table}", str(path)))]


def test_an_import_that_is_killed_goes_on_by_the_same_command(service, big_files):
    """Killed at two points of its way; in the end nothing is lost, nothing doubled, and nothing changes any more."""
    counts = "select (select count(*) from employees), (select count(*) from rejected_rows)"
    for share in (1, 12_000):
        process = service.popen(*words(big_files))
        until = time.monotonic() + 60
        while sum(service.database.query(counts)[0]) < share and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        stored, rejected = service.database.query(counts)[0]
        assert stored + rejected in range(5_000, 30_001, 5_000), "a part is taken in whole or not at all"
    done = service.run(*words(big_files))
    assert done.returncode == 0, done.stderr
    assert "29,400 accepted" in done.stdout
    assert "600 rejected" in done.stdout
    assert service.database.query(counts) == [(29_400, 600)]
    numbers = service.database.query("select row_number from rejected_rows order by row_number")
    assert [number for (number,) in numbers] == list(range(50, 30_001, 50))
    before = everything(service.database)
    again = service.run(*words(big_files))
    assert "29,400 accepted (0 new), 600 rejected" in again.stdout
    assert everything(service.database) == before


def test_the_command_takes_a_file_of_any_size_in_the_same_memory(service, tmp_path):
    def peak(lines: int) -> int:
        file = write(tmp_path / f"{lines}.csv", "".join(f",{n}\n" for n in range(lines)))
        service.by_script = True  # whose memory isn't that of a process that has imported everything
        service.environment["SOURCES__PEOPLE__MAX_REJECTED_SHARE"] = "1"  # every line is rejected
        process = service.popen("import", "--jobs", str(file))
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, process.stderr.read()
        return usage.ru_maxrss

    assert peak(36_000) < peak(6_000) + 10 * 1024, "KB"


def test_an_import_that_can_not_be_done_ends_in_one_line(service, tmp_path):
    for exit_code, says, *said in (
        (2, "nothing to import; name a file with --departments, --jobs or --employees", "import"),
        (1, "none.csv can't be read: No such file or directory", "import", "--jobs", str(tmp_path / "none.csv")),
        (1, "can't be read: Is a directory", "import", "--jobs", str(tmp_path)),
        (
            1,
            "bad.csv: the header must name id, name; it names id, title",
            "import",
            "--jobs",
            str(write(tmp_path / "bad.csv", "id,title\n")),
        ),
    ):
        done = service.run(*said)
        assert (done.returncode, done.stdout) == (exit_code, "")
        (line,) = done.stderr.splitlines()
        assert says in line


def test_rejects_are_shown_as_a_table_and_as_csv_without_formulas(service, tmp_path):
    service.run("import", "--jobs", str(write(tmp_path / "j.csv", "=cmd(),x\n@id,\n1,one\n")))
    shown = service.run("rejects").stdout
    assert "id: not an integer; name: missing" in shown
    rows = list(csv.DictReader(service.run("rejects", "--format", "csv").stdout.splitlines()))
    assert [row["payload"] for row in rows] == ["'@id,", "'=cmd(),x"]
    assert len(service.run("rejects", "--limit", "1", "--format", "csv").stdout.splitlines()) == 2


def test_the_sample_goes_into_an_empty_database_once(engine, sample_files):
    assert fill_when_empty(engine, lambda: sample_files)
    before = everything(engine.database)
    assert len(before["employees"]) > 1_900
    assert len(before["rejected_rows"]) > 0
    assert not fill_when_empty(engine, lambda: pytest.fail("nothing is to be taken in"))
    assert everything(engine.database) == before


@pytest.mark.parametrize("table", ["departments", "rejected_rows"])
def test_the_sample_stays_out_where_there_is_one_row_of_anything(engine, table):
    row = {
        "departments": "(id, name) values (7, 'mine')",
        "rejected_rows": "(batch_id, table_name, source, row_number, payload, reasons)"
        " values (gen_random_uuid(), 'jobs', 'api', 1, '', '{no}')",
    }[table]
    engine.database.execute(f"insert into {table} {row}")
    before = everything(engine.database)
    assert not fill_when_empty(engine, lambda: pytest.fail("nothing is to be taken in"))
    assert everything(engine.database) == before


def test_of_two_that_fill_at_once_one_does(engine, sample_files):
    with ThreadPoolExecutor(4) as pool:
        filled = list(pool.map(lambda _: fill_when_empty(engine, lambda: sample_files), range(4)))
    assert Counter(filled) == {True: 1, False: 3}
    counted = "select table_name, accepted_count + rejected_count from imports"
    lines = {table: len(path.read_text(encoding="utf-8").splitlines()) for table, path in sample_files.items()}
    assert dict(engine.database.query(counted)) == lines


def test_two_that_look_while_a_reader_is_there_do_not_wait_for_each_other(engine, sample_files):
    """A reader holds the first table; then one filler waits for it, and the other's look for the first filler."""
    with psycopg.connect(engine.database.url) as reader, ThreadPoolExecutor(2) as pool:
        reader.execute("lock table employees in access share mode")
        filling = [pool.submit(fill_when_empty, engine, lambda: sample_files)]
        engine.database.wait_for_waiting()
        filling.append(pool.submit(fill_when_empty, engine, lambda: sample_files))
        engine.database.wait_for_waiting(2)
        reader.rollback()
        assert Counter(fill.result() for fill in filling) == {True: 1, False: 1}


_FILL = """
import sys
from pathlib import Path
from people_api.database import open_engine
from people_api.sample import fill_when_empty
with open_engine(sys.argv[1]) as engine:
    fill_when_empty(engine, lambda: {name: Path(path) for name, path in zip(sys.argv[2::2], sys.argv[3::2])})
"""


def test_a_fill_that_is_killed_half_way_leaves_nothing_and_the_next_one_fills(engine, sample_files):
    """It is stopped at its last table, by a row that another transaction holds under an id of the sample."""
    arguments = [str(word) for item in sample_files.items() for word in item]
    with psycopg.connect(engine.database.url) as holder:
        # A unique index over all employees makes two inserts of one value wait for each other: no lock on a table.
        engine.database.execute("create table gate (one integer primary key)")
        engine.database.execute(
            "create function wait_at_gate() returns trigger language plpgsql as"
            " 'begin insert into gate values (1) on conflict do nothing; return null; end'"
        )
        engine.database.execute(
            "create trigger waits before insert on employees for each statement execute function wait_at_gate()"
        )
        holder.execute("insert into gate values (1)")
        process = subprocess.Popen([sys.executable, "-c", _FILL, engine.database.url, *arguments], cwd=PROJECT)
        engine.database.wait_for_waiting()
        process.kill()
        process.wait()
        holder.rollback()
    with psycopg.connect(engine.database.url) as connection:
        connection.execute("lock table employees in access exclusive mode")  # when the killed one's session is gone
    assert {table: len(rows) for table, rows in everything(engine.database).items()} == dict.fromkeys(ALL_TABLES, 0)
    assert fill_when_empty(engine, lambda: sample_files)


def test_the_sample_makes_room_whole(engine, sample_files):
    assert not clear_sample(engine), "there is none yet"
    fill_when_empty(engine, lambda: sample_files)
    assert clear_sample(engine)
    assert not any(everything(engine.database).values())
    assert not clear_sample(engine)
    assert fill_when_empty(engine, lambda: sample_files), "it may come back to an empty database"


@pytest.mark.parametrize(
    "change",
    [
        "insert into jobs values (100000, 'mine')",
        "update jobs set name = 'mine' where id = 1",
        "update employees set is_active = false where id = (select min(id) from employees)",
        "with gone as (delete from employees where id = (select min(id) from employees) returning *)"
        " insert into employees select id, 'mine', hiring_date, department_id, job_id from gone",
        "with gone as (delete from rejected_rows where id = (select min(id) from rejected_rows) returning 1)"
        " insert into departments values (1000, 'mine')",
        "insert into rejected_rows (batch_id, table_name, source, row_number, payload, reasons)"
        " values (gen_random_uuid(), 'jobs', 'api', 1, '', '{no}')",
    ],
)
def test_the_sample_with_one_change_of_ones_own_is_ones_own(engine, sample_files, change):
    fill_when_empty(engine, lambda: sample_files)
    engine.database.execute(change)
    before = everything(engine.database)
    assert not clear_sample(engine)
    assert everything(engine.database) == before


def test_a_row_that_comes_while_the_sample_is_looked_at_is_kept(engine, sample_files):
    fill_when_empty(engine, lambda: sample_files)
    with psycopg.connect(engine.database.url) as writer, ThreadPoolExecutor(1) as pool:
        writer.execute("insert into jobs values (100000, 'mine')")
        clearing = pool.submit(clear_sample, engine)
        engine.database.wait_for_waiting()
        writer.commit()
        assert clearing.result(60) is False
    assert engine.database.query("select name from jobs where id = 100000") == [("mine",)]


@contextmanager
def people_of(sandbox: Sandbox) -> Iterator[Engine]:
    """Open the embedded people database of a home."""
    with people_database(Home(sandbox.home)) as url, open_engine(url) as engine:
        migrate(engine)
        yield engine


def test_ones_own_files_take_the_place_of_the_sample_on_the_embedded_server(bare_sandbox, tmp_path):
    """The first import says that the sample made room, the next one adds to what is there."""
    first, second = write(tmp_path / "one.csv", "1,one\n"), write(tmp_path / "two.csv", "2,two\n")
    with people_of(bare_sandbox) as engine:
        fill_when_empty(engine, lambda: sample_people(Home(bare_sandbox.home)))
    said = bare_sandbox.succeed("people", "import", "--jobs", str(first))
    assert "the generated sample made room" in said
    assert "made room" not in bare_sandbox.succeed("people", "import", "--jobs", str(second))
    with people_of(bare_sandbox) as engine, engine.connect() as connection:
        assert connection.exec_driver_sql("select id, name from jobs order by id").fetchall() == [
            (1, "one"),
            (2, "two"),
        ]
        assert connection.exec_driver_sql("select count(*) from employees").scalar_one() == 0
    EmbeddedPostgres(bare_sandbox.home).remove()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"1;Sales\n2;Research\n", "line 1 1 field, not 2: 1;Sales"),
        ("1,Büro".encode("utf-16"), r"line 1 not UTF-8: "),
        (b"Sales,1\n", "line 1 id: "),
    ],
)
def test_a_wrong_file_is_refused_before_anything_is_imported(tmp_path, content, reason):
    path = write(tmp_path / "wrong.csv", content)
    with pytest.raises(StepFailed) as raised:
        refuse_wrong_files({"departments": path}, read_caps("people", "people"))
    lines = content.count(b"\n") or 1
    told = f"{path}: {lines} of the first {lines} lines aren't departments, more than max_rejected_share = 0.9 "
    assert str(raised.value).startswith(f"{told}(SOURCES__PEOPLE__MAX_REJECTED_SHARE) allows: {reason}")


def test_a_file_with_some_wrong_lines_is_none(tmp_path):
    refuse_wrong_files({"jobs": write(tmp_path / "jobs.csv", "1;Clerk\n2,Clerk\n")}, read_caps("people", "people"))
    refuse_wrong_files({"jobs": write(tmp_path / "empty.csv", "")}, read_caps("people", "people"))
