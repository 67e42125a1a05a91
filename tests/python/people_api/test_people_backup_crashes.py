"""A restore that is killed leaves the old table or the new one, and readers never see another.

TRADEWINDS_KILLS says how many are killed by chance.
"""

import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import psycopg
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from people_api.backups import back_up
from people_api.database import open_engine
from tests.python.avro_files import backups_in, make_odd_people
from tests.python.forks import Process
from tests.python.sandbox import Database, Sandbox

ROWS, RANDOM_KILLS = 100_000, int(os.environ.get("TRADEWINDS_KILLS", "2"))
SUM = "select count(*), sum(hashtext(employees::text)::bigint) from employees"
OTHERS = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


@pytest.fixture
def people(server: EmbeddedPostgres) -> Database:
    """A database whose backup has 100,000 employees, of whom some are gone, some changed and some new by now."""
    database = make_odd_people(server)
    _insert(database, 100, ROWS)
    return database


def _insert(database: Database, first: int, count: int) -> None:
    database.execute(
        "insert into employees select n, 'employee ' || n, '2021-01-01Z'::timestamptz + n * interval '1 minute', "
        f"n % 9 + 1, n % 9 + 1, true from generate_series({first}, {first + count - 1}) as n"
    )


def _spoil(database: Database) -> None:
    database.execute("delete from employees where id % 3 = 0")
    database.execute("update employees set name = 'changed' where id % 3 = 1")
    _insert(database, 1_000_000, ROWS // 3)


@contextmanager
def _watching(database: Database, allowed: set[tuple]) -> Iterator[list[tuple]]:
    """Read the table over and over meanwhile, and expect one of these answers every time."""
    seen: list[tuple] = []
    done = Event()

    def watch() -> None:
        with psycopg.connect(database.url, autocommit=True) as connection:
            while not seen or not done.wait(0.02):
                seen.append(connection.execute(SUM).fetchone())

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(watch)
        try:
            yield seen
        finally:
            done.set()
            reader.result()
    assert seen
    assert set(seen) <= allowed


def _wait_for(database: Database, condition: str, restoring: Process | None = None) -> None:
    """Wait until a query says true, or the process has ended."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        deadline = time.monotonic() + 60
        while not connection.execute(f"select {condition}").fetchone()[0]:
            if restoring and restoring.poll() is not None:
                return
            assert time.monotonic() < deadline, condition
            time.sleep(0.001)


def test_a_killed_restore_leaves_the_old_table_or_the_new_one(people: Database, tmp_path: Path) -> None:
    store = str(tmp_path / "home" / "backups")
    with open_engine(people.url) as engine:
        back_up(engine, "employees", store)
    new = people.query(SUM)[0]
    _spoil(people)
    old = people.query(SUM)[0]
    sandbox = Sandbox(tmp_path / "home", {"PEOPLE_DATABASE_URL": people.url})
    chance = random.Random(3)
    kills: list[str | float] = ["copy restored", "delete from employees", "insert into employees"]
    kills += [chance.uniform(0, 1.5) for _ in range(RANDOM_KILLS)]
    for kill in kills:
        with _watching(people, {old, new}):
            restoring = sandbox.start("people", "restore", "employees")
            working = "exists (select from pg_stat_activity where datname = current_database() and query ilike '{}%')"
            _wait_for(people, working.format(kill if isinstance(kill, str) else "create temporary"), restoring)
            time.sleep(0.05 if isinstance(kill, str) else kill)
            restoring.kill()
            restoring.communicate()
        _wait_for(people, f"({OTHERS}) = 0")
        state = people.query(SUM)[0]
        assert state in (old, new)
        if isinstance(kill, str):
            assert state == old, f"killed in {kill}: not one statement of a restore stands alone"
        if state == new:
            _spoil(people)
            # Rows were inserted anew in another order, and are the same rows.
            assert people.query(SUM)[0] == old
    with _watching(people, {old, new}) as seen:
        done = sandbox.start("people", "restore", "employees")
        _, errors = done.communicate(timeout=120)
    assert done.returncode == 0, errors
    assert people.query(SUM)[0] == new
    assert old in seen


def test_a_killed_backup_is_no_backup(people: Database, tmp_path: Path) -> None:
    store = str(tmp_path / "home" / "backups")
    sandbox = Sandbox(tmp_path / "home", {"PEOPLE_DATABASE_URL": people.url})
    for seconds in (0.1, 0.6, 1.2):
        backing = sandbox.start("people", "backup", "employees")
        _wait_for(people, f"({OTHERS}) > 0", backing)
        folder = tmp_path / "home" / "backups" / "employees"
        while backing.poll() is None and not folder.exists():
            time.sleep(0.01)
        time.sleep(seconds)
        backing.kill()
        backing.communicate()
    with open_engine(people.url) as engine:
        taken = back_up(engine, "employees", store)
    backups = backups_in(store, "employees")
    assert next(iter(backups)) == taken.name
    assert {said["rows"] for said in backups.values()} == {taken.rows}
