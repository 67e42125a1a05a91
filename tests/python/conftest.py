"""What every test stands on: a home of its own, a real Postgres, and the real command."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import duckdb
import psycopg
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import StepFailed
from ingestion.samples.defaults import sample_api, sample_people
from ingestion.samples.generate import fill_northwind, write_event_log, write_order_details
from ingestion.settings import PROJECT, Home
from people_api.database import migrate, open_engine
from tests.python.homes import SHARED_HOMES, copy_database, made_once, session_folder, template_database
from tests.python.people import make_people
from tests.python.people_service import PeopleService
from tests.python.s3_servers import S3Server, clean_environment, rclone, seaweedfs
from tests.python.warm import Forks, Process, serving_forks

# The day of the built homes, and the one after it.
BUILT_DAY, NEXT_DAY = "2021-01-01", "2021-01-02"
# Two that break a rule, two that can't be read.
BAD_LINES = ["10248,1,14.5,0,0.05", "10249,1,-2,1,0", "10250,1,14.5,many,0", "10251,1,14.5"]
BAD_EVENTS = ["1;created_account;", "9000001;fell_asleep;7;2020-02-01 10:00:00;"]
# Names of warehouses on Postgres in turn, a process: dbt's parse of the project is kept by the database's name.
_WAREHOUSES = cycle(f"warehouse_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_{number}" for number in range(2))
COMMAND = Path(sys.executable).with_name("tradewinds")


@cache
def forks() -> Forks:
    """Return this process's server of forked commands, started when it is first asked for."""
    serving = serving_forks(clean_environment())
    atexit.register(serving.__exit__, None, None, None)
    return serving.__enter__()


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
        """Run `tradewinds`, expect this exit code and one line on standard error, and return that line."""
        done = self.run(*words)
        assert done.returncode == exit_code, done.stderr + done.stdout
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        return lines[0]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A real Postgres for the session, shared by all its processes; the last one to leave removes it."""
    embedded = EmbeddedPostgres(session_folder(tmp_path_factory) / "server")
    with embedded.running():
        with psycopg.connect(embedded.url("postgres"), autocommit=True) as connection:
            # Copying and dropping a database waits for the disk, and no test pulls the plug.
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
        yield embedded
    if not SHARED_HOMES:
        with suppress(StepFailed):
            embedded.remove()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server for the session, which knows no conditional puts and is up at once."""
    with rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
def conditional_s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server for the session, which knows conditional puts."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


def make_database(server: EmbeddedPostgres) -> Database:
    """Make an empty database on the test server."""
    name = f"test_{uuid4().hex}"
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
    write_order_details(lines, scale=1)
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


_MADE = shutil.ignore_patterns(".made")


class BuiltHomes:
    """A home an engine on which BUILT_DAY was run from end to end, made when it is first asked for."""

    def __init__(self, server: EmbeddedPostgres, shared: Path):
        self._server, self._shared = server, shared

    def original(self, target: str = "duckdb") -> Sandbox:
        """Return the home itself: for tests that only look."""
        return self._sandbox(self._built(target), target, self._server.url("shown_postgres"))

    def copy(self, folder: Path, target: str = "duckdb", *, with_next_day: bool = False) -> Sandbox:
        """Return a copy with databases and order lines of its own, which a test may change.

        With the next day, all of NEXT_DAY has landed from the unchanged sources; a test extracts what it changes.
        """
        made = self._with_next_day(target) if with_next_day else self._built(target)
        shutil.copytree(made, folder / "built")
        url = make_warehouse(self._server, "built_postgres").url if target == "postgres" else None
        return self._sandbox(folder / "built", target, url)

    def copy_with_rejects(self, folder: Path) -> Sandbox:
        """Return a copy of a home where BUILT_DAY was run with bad lines and events on DuckDB, then on Postgres.

        NEXT_DAY has landed with them. What DuckDB exported is in `exports_duckdb` beside `exports`.
        """
        made = made_once(self._shared / "rejects", self._run_with_rejects)
        shutil.copytree(made, folder / "rejects")
        return self._sandbox_with_rejects(folder / "rejects", make_warehouse(self._server, "rejects_postgres"))

    def _run_with_rejects(self, folder: Path) -> None:
        shutil.copytree(self._with_next_day("duckdb"), folder, dirs_exist_ok=True, ignore=_MADE)
        self._server.ensure_database("rejects_postgres")
        sandbox = self._sandbox_with_rejects(folder, Database(self._server.url("rejects_postgres")))
        for day in (BUILT_DAY, NEXT_DAY):
            sandbox.succeed("extract", "--run-date", day, "--source", "order_details", "--source", "event_log")
        sandbox.succeed("run", "--run-date", BUILT_DAY)
        shutil.copytree(sandbox.home / "exports", sandbox.home / "exports_duckdb")
        sandbox.succeed("run", "--run-date", BUILT_DAY, "--target", "postgres")

    def _sandbox_with_rejects(self, folder: Path, warehouse: Database) -> Sandbox:
        sandbox = self._sandbox(folder, "duckdb", None)
        sandbox.warehouse = warehouse
        sandbox.settings |= warehouse_settings(warehouse) | {"SOURCES__EVENT_LOG__PATH": str(folder / "events.csv")}
        del sandbox.settings["TRADEWINDS_TARGET"]
        write_event_log(folder / "events.csv", scale=1)
        for path, lines in ((sandbox.order_details, BAD_LINES), (folder / "events.csv", BAD_EVENTS)):
            with path.open("a") as file:
                file.write("\n".join(lines) + "\n")
        return sandbox

    def _built(self, target: str) -> Path:
        return made_once(self._shared / f"built_{target}", lambda folder: self._run(folder, target))

    def _with_next_day(self, target: str) -> Path:
        def extract(folder: Path) -> None:
            shutil.copytree(self._built(target), folder, dirs_exist_ok=True, ignore=_MADE)
            self._sandbox(folder, target, None).succeed("extract", "--run-date", NEXT_DAY)

        return made_once(self._shared / f"next_day_{target}", extract)

    def _run(self, folder: Path, target: str) -> None:
        sandbox = make_sandbox(self._server, folder)
        if target == "postgres":
            self._server.ensure_database("built_postgres")
            sandbox.settings |= warehouse_settings(Database(self._server.url("built_postgres")))
        (folder / "began").touch()
        sandbox.succeed("run", "--run-date", BUILT_DAY)
        if target == "postgres":
            # A database that someone looks at can't be copied.
            copy_database(self._server, "built_postgres", "shown_postgres")

    def _sandbox(self, folder: Path, target: str, warehouse: str | None) -> Sandbox:
        lines = (folder / "order_details.csv").read_bytes()
        sandbox = make_sandbox(self._server, folder)
        assert lines.startswith(sandbox.order_details.read_bytes())
        if target == "postgres" and warehouse:
            sandbox.warehouse = Database(warehouse)
            sandbox.settings |= warehouse_settings(sandbox.warehouse)
        return sandbox


@pytest.fixture(scope="session")
def built_homes(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> BuiltHomes:
    """The session's built homes, one an engine."""
    return BuiltHomes(server, session_folder(tmp_path_factory))


@pytest.fixture
def built(built_homes: BuiltHomes, tmp_path: Path) -> Sandbox:
    """A home on DuckDB in which BUILT_DAY was run, and whose sources may be changed by the test."""
    return built_homes.copy(tmp_path)


@pytest.fixture(scope="session")
def shared_built(built_homes: BuiltHomes) -> Sandbox:
    """The home on DuckDB in which BUILT_DAY was run, for tests that only look at it."""
    return built_homes.original()


@pytest.fixture
def new_database(server: EmbeddedPostgres) -> Callable[[], Database]:
    """Make an empty database."""
    return lambda: make_database(server)


@pytest.fixture
def new_people_database(server: EmbeddedPostgres) -> Callable[[], Database]:
    """Make a people database without a row."""
    return lambda: make_empty_people_database(server)


@pytest.fixture
def northwind(server: EmbeddedPostgres) -> Database:
    """A database with Northwind's 13 tables, filled, that the test may change."""
    return make_northwind(server)


@pytest.fixture
def people(server: EmbeddedPostgres) -> Database:
    """A people database with the sample's hires and its rejects, that the test may change."""
    return make_people_database(server, with_rejects=True)


@pytest.fixture
def order_details(tmp_path: Path) -> Path:
    """The order lines that belong to `northwind`, in a file that the test may change."""
    path = tmp_path / "order_details.csv"
    write_order_details(path, scale=1)
    return path


@pytest.fixture
def sandbox(server: EmbeddedPostgres, tmp_path: Path) -> Sandbox:
    """A fresh home whose databases and order lines may be changed by the test."""
    return make_sandbox(server, tmp_path)


@pytest.fixture
def bare_sandbox(tmp_path: Path) -> Sandbox:
    """A fresh home with nothing configured."""
    return Sandbox(tmp_path / "home")


def make_service(server: EmbeddedPostgres, folder: Path, **settings: str) -> PeopleService:
    """Make a people service with a database of its own, not started; its rate isn't limited unless that is set."""
    return PeopleService(forks, clean_environment(), folder / "home", make_empty_people_database(server), **settings)


@pytest.fixture
def new_service(server: EmbeddedPostgres, tmp_path: Path) -> Callable[..., PeopleService]:
    """Make a people service of a test's own, by its settings."""
    return lambda **settings: make_service(server, tmp_path, **settings)


@pytest.fixture(scope="module")
def shared_service(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeopleService]:
    """A running people service for all tests of a file, each of which keeps to ids of its own."""
    with make_service(server, tmp_path_factory.mktemp("service")).running() as service:
        yield service


@pytest.fixture(scope="module")
def shared_sandbox(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A home like `sandbox` for all tests of a file, which leave it as they find it."""
    return make_sandbox(server, tmp_path_factory.mktemp("shared"))


# Files are handed out whole: each set-up is made once. The longest go first, so that all processes end alike.
_LONGEST = (
    "test_docs", "test_audit", "test_history", "test_reconciliation", "test_crashes", "test_readers", "test_rejects",
    "test_days", "test_people_security", "test_object_storage", "test_dbt_project", "test_engines", "test_quarantine",
)  # fmt: skip
_COMMAND_FIXTURES = {"sandbox", "shared_sandbox", "bare_sandbox", "built_homes", "new_service", "shared_service"}


def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than there are cores: servers, locks and timeouts are waited for."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, and mark each test by what it stands on.

    That is the command (e2e), a server (integration), or neither (unit).
    """
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & _COMMAND_FIXTURES:
            item.add_marker("e2e")
        elif fixtures & {"server", "s3_server", "conditional_s3_server"}:
            item.add_marker("integration")
        elif item.get_closest_marker("e2e") is None:
            item.add_marker("unit")
