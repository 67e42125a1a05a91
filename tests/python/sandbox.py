"""A home with its settings and sources, the real command run against it, and the databases it needs."""

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from pathlib import Path
from urllib.parse import unquote, urlsplit

import duckdb
import psycopg

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.samples.defaults import sample_api, sample_people
from ingestion.samples.generate import fill_northwind
from ingestion.settings import PROJECT, Home
from people_api.database import migrate, open_engine
from tests.python.forks import Forks, Process, keeping_libraries, serving_forks
from tests.python.homes import copy_database, name_database, sample_order_lines, template_database
from tests.python.people import make_people
from tests.python.people_service import PeopleService
from tests.python.s3_servers import clean_environment

# The day of the built homes, and the one after it.
BUILT_DAY, NEXT_DAY = "2021-01-01", "2021-01-02"


# Two that break a rule, two that can't be read.
BAD_LINES = ["10248,1,14.5,0,0.05", "10249,1,-2,1,0", "10250,1,14.5,many,0", "10251,1,14.5"]


BAD_EVENTS = ["1;created_account;", "9000001;fell_asleep;7;2020-02-01 10:00:00;"]


# Names of warehouses on Postgres in turn, a process: dbt's parse of the project is kept by the database's name.
_WAREHOUSES = cycle(f"warehouse_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_{number}" for number in range(2))


COMMAND = Path(sys.executable).with_name("tradewinds")


# Where the session's server of forked commands is, for the processes of pytest-xdist.
_FORKS = "PYTEST_FORKS"


@cache
def forks() -> Forks:
    """Return the session's server of forked commands, which the first process to ask starts and keeps."""
    if address := os.environ.get(_FORKS):
        return Forks(Path(address))
    kept = ExitStack()
    atexit.register(kept.close)
    kept.enter_context(keeping_libraries(clean_environment()))
    started = kept.enter_context(serving_forks(clean_environment()))
    os.environ[_FORKS] = str(started.address)
    return started


@dataclass
class Database:
    """A database of the test server."""

    url: str

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def query(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()

    def wait_for_waiting(self, sessions: int = 1) -> None:
        """Return once so many of its sessions wait for a lock."""
        waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        until = time.monotonic() + 60
        while len(self.query(waiting)) < sessions:
            assert time.monotonic() < until, "nobody waits"
            time.sleep(0.02)


@dataclass
class Sandbox:
    """A home and its settings, and the commands run against them.

    dbt's unit tests have inputs of their own and say the same in every home: dbt leaves them out unless asked for.
    """

    home: Path
    settings: dict[str, str] = field(default_factory=dict)
    northwind: Database | None = None
    order_details: Path | None = None
    people: Database | None = None
    warehouse: Database | None = None  # on Postgres; on DuckDB it is a file of the home
    with_unit_tests: bool = False
    # The console script itself, for tests that look at the process or change what it loads.
    by_script: bool = False

    @property
    def environment(self) -> dict[str, str]:
        left_out = {} if self.with_unit_tests else {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
        return clean_environment() | {"TRADEWINDS_HOME": str(self.home)} | left_out | self.settings

    def start(self, *words: str) -> subprocess.Popen[str] | Process:
        """Start `tradewinds` with these words, its output in pipes."""
        if not self.by_script:
            return forks().start(list(words), self.environment)
        return subprocess.Popen(
            [COMMAND, *words],
            env=self.environment,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `tradewinds` to its end."""
        process = self.start(*words)
        output, errors = process.communicate(timeout=900)
        return subprocess.CompletedProcess(words, process.returncode, output, errors)

    def dbt(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run dbt as it is typed, with its files in the home, to its end."""
        places = {"DBT_TARGET_PATH": str(self.home / "target"), "DBT_LOG_PATH": str(self.home / "logs")}
        process = forks().start(["--no-use-colors", *words], self.environment | places, program="dbt")
        output, errors = process.communicate(timeout=900)
        return subprocess.CompletedProcess(words, process.returncode, output, errors)

    def query(self, statement: str) -> list[tuple]:
        """Return the rows of a query on the warehouse."""
        with duckdb.connect(str(self.home / "warehouse" / "tradewinds.duckdb"), read_only=True) as connection:
            return connection.execute(statement).fetchall()

    def published(self, statement: str) -> list[tuple]:
        """Return the rows of a query on what is published."""
        with duckdb.connect(str(self.home / "published" / "tradewinds.duckdb"), read_only=True) as connection:
            return connection.execute(statement).fetchall()

    def manifest(self, source: str, run_date: str) -> dict:
        """Return a landed day's manifest as plain JSON."""
        return json.loads((self.home / "landing" / "_manifests" / source / f"{run_date}.json").read_text())

    def succeed(self, *words: str) -> str:
        """Run `tradewinds`, expect exit 0, and return its output."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def fail(self, exit_code: int, *words: str) -> str:
        """Run `tradewinds`, expect this exit code and one failure on standard error, and return its text.

        It is one line, and below it, if there are findings or a page, these and the command.
        """
        done = self.run(*words)
        assert done.returncode == exit_code, done.stderr + done.stdout
        first, *below = done.stderr.strip().splitlines()
        assert first.startswith("tradewinds: "), done.stderr
        assert all(line.startswith("  ") for line in below), done.stderr
        assert len(below) <= 12, done.stderr
        return "\n".join([first, *below])


def make_database(server: EmbeddedPostgres) -> Database:
    """Make an empty database on the test server."""
    name = name_database(server)
    server.ensure_database(name)
    return Database(server.url(name))


@cache
def serve_community(home: Path) -> str:
    """Serve the community's sample to every sandbox from now on, and return where."""
    api = sample_api(Home(home))
    threading.Thread(target=api.serve_forever, daemon=True).start()
    return api.url


def make_northwind(server: EmbeddedPostgres) -> Database:
    """Make a database with Northwind's 13 tables, filled."""
    name = template_database(server, "template_northwind", lambda url: fill_northwind(url, scale=1) and None)
    return Database(copy_database(server, name))


def make_people_database(server: EmbeddedPostgres, *, with_rejects: bool = False) -> Database:
    """Make a people database with the sample's hires, and if asked for with the log of its rejects."""
    files, name = sample_people(Home(server.home)), f"template_people{'_rejects' * with_rejects}"
    fill = template_database(server, name, lambda url: make_people(url, files, with_rejects=with_rejects))
    return Database(copy_database(server, fill))


def make_empty_people_database(server: EmbeddedPostgres) -> Database:
    """Make a people database without a row."""

    def fill(url: str) -> None:
        with open_engine(url) as engine:
            migrate(engine)

    return Database(copy_database(server, template_database(server, "template_people_empty", fill)))


def make_sandbox(server: EmbeddedPostgres, folder: Path, home: Path | None = None) -> Sandbox:
    """Make a fresh home with a Northwind of its own, its order lines, a people database without rejects, and an API."""
    database, people = make_northwind(server), make_people_database(server)
    lines = folder / "order_details.csv"
    lines.write_bytes(sample_order_lines())
    settings = {
        "SOURCES__NORTHWIND__CREDENTIALS": database.url,
        "SOURCES__ORDER_DETAILS__PATH": str(lines),
        "PEOPLE_DATABASE_URL": people.url,
        "SOURCES__COMMUNITY__BASE_URL": serve_community(server.home),
    }
    return Sandbox(home or folder / "home", settings, database, lines, people)


def warehouse_settings(database: Database) -> dict[str, str]:
    """Return the settings that make a database the Postgres warehouse."""
    url = urlsplit(database.url)
    return {
        "TRADEWINDS_POSTGRES_HOST": url.hostname,
        "TRADEWINDS_POSTGRES_PORT": str(url.port),
        "TRADEWINDS_POSTGRES_USER": url.username,
        "TRADEWINDS_POSTGRES_PASSWORD": unquote(url.password),
        "TRADEWINDS_POSTGRES_DATABASE": url.path[1:],
        "TRADEWINDS_TARGET": "postgres",
    }


def make_warehouse(server: EmbeddedPostgres, template: str = "template1") -> Database:
    """Make a Postgres warehouse, empty or a copy, in place of the one that had its name two warehouses ago."""
    return Database(copy_database(server, template, next(_WAREHOUSES)))


def make_service(server: EmbeddedPostgres, folder: Path, **settings: str) -> PeopleService:
    """Make a people service with a database of its own, not started; its rate isn't limited unless that is set."""
    return PeopleService(forks, clean_environment(), folder / "home", make_empty_people_database(server), **settings)
