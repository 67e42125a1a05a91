"""The backup commands, on disk and on a real S3 server: one line each, without secrets."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from sqlalchemy import Engine

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import StepFailed
from ingestion.stores import open_store
from people_api.backups import TABLES, back_up, restore
from people_api.database import open_engine
from tests.python.avro_files import contents, make_odd_people
from tests.python.s3_servers import SECRET, rclone
from tests.python.sandbox import Database, Sandbox


@pytest.fixture
def people(server: EmbeddedPostgres) -> Database:
    return make_odd_people(server)


@pytest.fixture
def engine(people: Database) -> Iterator[Engine]:
    with open_engine(people.url) as opened:
        yield opened


@pytest.fixture
def sandbox(people: Database, tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path / "home", {"PEOPLE_DATABASE_URL": people.url})


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Settings that put backups into a bucket of a server of the test's own; this process has them already."""
    with rclone(tmp_path / "s3", forgets=True) as server:
        monkeypatch.setitem(fsspec.config.conf, "s3", server.options)
        yield server.settings


def _succeed(sandbox: Sandbox, *words: str) -> str:
    done = sandbox.run("people", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    return done.stdout.strip()


def _fail(exit_code: int, sandbox: Sandbox, *words: str) -> str:
    done = sandbox.run("people", *words)
    assert done.returncode == exit_code, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert SECRET not in done.stderr
    return done.stderr


def test_the_commands_on_disk(people: Database, sandbox: Sandbox, tmp_path: Path) -> None:
    before = contents(people)
    line = _succeed(sandbox, "backup", "departments")
    path = Path(line.partition(" backed up to ")[2])
    assert line == f"departments: 10 rows backed up to {tmp_path}/home/backups/departments/{path.name}"
    for source in ((), ("--from", path.name), ("--from", os.path.relpath(path))):
        people.execute("update departments set name = 'other'")
        assert _succeed(sandbox, "restore", "departments", *source).startswith("departments: 10 rows restored from ")
        assert contents(people) == before
    for name in (path.name, path.name + ".json"):
        shutil.copy(path.with_name(name), tmp_path / name.replace(path.stem, "copy"))
    people.execute("update departments set name = 'other'")
    _succeed(sandbox, "restore", "departments", "--from", str(tmp_path / "copy.avro"))
    assert contents(people) == before
    (tmp_path / "copy.avro.json").unlink()
    os.mkfifo(tmp_path / "copy.avro.json")
    assert "is missing" in _fail(1, sandbox, "restore", "departments", "--from", str(tmp_path / "copy.avro"))
    assert "sidecar" in _fail(1, sandbox, "restore", "jobs", "--from", str(path))
    assert "the tables are departments, " in _fail(2, sandbox, "backup", "api_keys")
    assert "no name of a backup" in _fail(2, sandbox, "restore", "jobs", "--from", "latest")
    people.execute("delete from employees where id > 1")
    people.execute("delete from departments where id > 1")
    _succeed(sandbox, "backup", "departments")
    people.execute("insert into departments values (2, 'two', true)")
    people.execute("update employees set department_id = 2")
    assert "departments (1): 1 (department_id 2)" in _fail(3, sandbox, "restore", "departments")


def test_backups_in_a_bucket(people: Database, engine: Engine, bucket: dict[str, str], tmp_path: Path) -> None:
    before, store = contents(people), "s3://bucket/people backups"
    with pytest.raises(StepFailed, match="there is no backup"):
        restore(engine, "jobs", store)
    taken = {table: back_up(engine, table, store) for table in TABLES}
    people.execute("truncate departments, jobs, employees, rejected_rows restart identity")
    for table, backup in taken.items():
        assert backup.location == f"s3://bucket/people backups/{table}/{backup.name}"
        assert restore(engine, table, store) == backup
    assert contents(people) == before
    folder = open_store(f"{store}/jobs", tmp_path)
    (tmp_path / "draft").write_text("")
    with pytest.raises(FileExistsError):
        folder.add(tmp_path / "draft", taken["jobs"].name)
    assert restore(engine, "jobs", store, taken["jobs"].name) == taken["jobs"]


def test_the_commands_take_a_bucket(people: Database, sandbox: Sandbox, bucket: dict[str, str]) -> None:
    sandbox.settings |= bucket | {"TRADEWINDS_BACKUPS_URL": "s3://bucket"}
    before = contents(people)
    url = _succeed(sandbox, "backup", "departments").partition(" backed up to ")[2]
    people.execute("update departments set name = 'other'")
    assert _succeed(sandbox, "restore", "departments", "--from", url).endswith(f"rows restored from {url}")
    assert contents(people) == before
    sandbox.settings["FSSPEC_S3_KEY"] = "wrong"
    _fail(1, sandbox, "restore", "departments")


def test_a_damaged_file_in_a_bucket_is_refused(
    people: Database, engine: Engine, bucket: dict[str, str], tmp_path: Path
) -> None:
    store = "s3://bucket"
    path = tmp_path / "s3" / "bucket" / "jobs" / back_up(engine, "jobs", store).name
    people.execute("update jobs set name = 'since then'")
    before, whole = contents(people), path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(StepFailed, match="SHA-256"):
        restore(engine, "jobs", store)
    path.unlink()
    with pytest.raises(StepFailed, match="the file is missing"):
        restore(engine, "jobs", store)
    path.with_name(path.name + ".json").unlink()
    path.write_bytes(whole)
    with pytest.raises(StepFailed, match="there is no backup"):
        restore(engine, "jobs", store)
    assert contents(people) == before


def test_a_bucket_that_cannot_be_reached_ends_in_one_line(
    engine: Engine, bucket: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # waiting for a server that isn't there proves nothing
    for url, wrong in (
        ("s3://bucket", {"secret": "wrong"}),
        ("s3://bucket", {"endpoint_url": "http://127.0.0.1:1"}),
        ("s3://nobody/here", {}),
    ):
        monkeypatch.setitem(fsspec.config.conf, "s3", fsspec.config.conf["s3"] | wrong)
        for act in (back_up, restore):
            with pytest.raises(StepFailed, match="jobs can't be "):
                act(engine, "jobs", url)
