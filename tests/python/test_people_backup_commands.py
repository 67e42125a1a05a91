"""The commands, on disk and on a real S3 server: one line each, and no secret in it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from people_api.backups import TABLES
from tests.python.conftest import Database
from tests.python.people import contents, fill
from tests.python.people_commands import run

KEY, SECRET = "AKIDTEST", "s3cret/of+the=test"


@pytest.fixture
def people(new_database: Callable[[], Database]) -> Database:
    database = new_database()
    fill(database)
    return database


@pytest.fixture
def settings(people: Database, tmp_path: Path) -> dict[str, str]:
    return {"TRADEWINDS_HOME": str(tmp_path / "home"), "PEOPLE_DATABASE_URL": people.url}


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings that put backups into a bucket of a server of the test's own."""
    (tmp_path / "s3" / "bucket").mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rclone = Path(sys.executable).with_name("rclone")
    server = subprocess.Popen(
        [
            rclone,
            "serve",
            "s3",
            tmp_path / "s3",
            "--addr",
            f"127.0.0.1:{port}",
            "--auth-key",
            f"{KEY},{SECRET}",
            "--dir-cache-time",
            "0s",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield {
            "TRADEWINDS_BACKUPS_URL": "s3://bucket/people backups",
            "FSSPEC_S3_KEY": KEY,
            "FSSPEC_S3_SECRET": SECRET,
            "FSSPEC_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        }
    finally:
        server.kill()
        server.wait()


def _succeed(settings: dict[str, str], *words: str) -> str:
    done = run(settings, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    return done.stdout.strip()


def _fail(exit_code: int, settings: dict[str, str], *words: str) -> str:
    done = run(settings, *words)
    assert done.returncode == exit_code, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert SECRET not in done.stderr
    return done.stderr


def test_the_commands_on_disk(people: Database, settings: dict[str, str], tmp_path: Path) -> None:
    before = contents(people)
    line = _succeed(settings, "backup", "departments")
    path = Path(line.partition(" backed up to ")[2])
    assert line == f"departments: 10 rows backed up to {tmp_path}/home/backups/departments/{path.name}"
    for source in ((), ("--from", path.name), ("--from", str(path)), ("--from", os.path.relpath(path))):
        people.execute("update departments set name = 'other'")
        assert _succeed(settings, "restore", "departments", *source).startswith("departments: 10 rows restored from ")
        assert contents(people) == before
    for name in (path.name, path.name + ".json"):
        shutil.copy(path.with_name(name), tmp_path / name.replace(path.stem, "copy"))
    people.execute("update departments set name = 'other'")
    _succeed(settings, "restore", "departments", "--from", str(tmp_path / "copy.avro"))
    assert contents(people) == before
    (tmp_path / "copy.avro.json").unlink()
    os.mkfifo(tmp_path / "copy.avro.json")
    assert "is missing" in _fail(1, settings, "restore", "departments", "--from", str(tmp_path / "copy.avro"))
    assert "sidecar" in _fail(1, settings, "restore", "jobs", "--from", str(path))
    assert "the tables are departments, " in _fail(2, settings, "backup", "api_keys")
    assert "no name of a backup" in _fail(2, settings, "restore", "jobs", "--from", "latest")
    people.execute("delete from employees where id > 1")
    people.execute("delete from departments where id > 1")
    _succeed(settings, "backup", "departments")
    people.execute("insert into departments values (2, 'two', true)")
    people.execute("update employees set department_id = 2")
    assert "departments (1): 1 (department_id 2)" in _fail(3, settings, "restore", "departments")


def test_the_commands_in_a_bucket(people: Database, settings: dict[str, str], bucket: dict[str, str]) -> None:
    before = contents(people)
    in_bucket = settings | bucket
    assert "there is no backup" in _fail(1, in_bucket, "restore", "jobs")
    lines = {table: _succeed(in_bucket, "backup", table) for table in TABLES}
    people.execute("truncate departments, jobs, employees, rejected_rows restart identity")
    for table in TABLES:
        url = lines[table].partition(" backed up to ")[2]
        assert url.startswith(f"s3://bucket/people backups/{table}/{table}-")
        source = ("--from", url) if table == "jobs" else ()
        assert _succeed(in_bucket, "restore", table, *source).endswith(f"rows restored from {url}")
    assert contents(people) == before


def test_a_damaged_file_in_a_bucket_is_refused(
    people: Database, settings: dict[str, str], bucket: dict[str, str], tmp_path: Path
) -> None:
    _succeed(settings | bucket, "backup", "jobs")
    people.execute("update jobs set name = 'since then'")
    before = contents(people)
    (path,) = (tmp_path / "s3" / "bucket" / "people backups" / "jobs").glob("*.avro")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert "SHA-256" in _fail(1, settings | bucket, "restore", "jobs")
    path.unlink()
    assert "the file is missing" in _fail(1, settings | bucket, "restore", "jobs")
    path.with_name(path.name + ".json").unlink()
    path.write_bytes(whole)
    assert "there is no backup" in _fail(1, settings | bucket, "restore", "jobs")
    assert contents(people) == before


def test_a_bucket_that_cannot_be_reached_ends_in_one_line(
    people: Database, settings: dict[str, str], bucket: dict[str, str]
) -> None:
    for wrong in (
        {"FSSPEC_S3_SECRET": "wrong"},
        {"FSSPEC_S3_ENDPOINT_URL": "http://127.0.0.1:1"},
        {"TRADEWINDS_BACKUPS_URL": "s3://nobody/here"},
    ):
        for words in (("backup", "jobs"), ("restore", "jobs")):
            assert "jobs can't be " in _fail(1, settings | bucket | wrong, *words)
    for url in ("s3://", f"s3://{KEY}:{SECRET}@bucket/x", "s3://bucket/x?y"):
        assert "expected s3://bucket" in _fail(2, settings | bucket | {"TRADEWINDS_BACKUPS_URL": url}, "backup", "jobs")
