"""What every test stands on: a home of its own, a real Postgres, and the real command."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from uuid import uuid4

import duckdb
import psycopg
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.samples.defaults import sample_api, sample_people
from ingestion.samples.generate import fill_northwind, write_order_details
from ingestion.settings import PROJECT, Home
from tests.python.people import make_people
from tests.python.people_service import PeopleService
from tests.python.s3_servers import S3Server, clean_environment, rclone, seaweedfs

COMMAND = Path(sys.executable).with_name("tradewinds")


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
    """A home and its settings, and the commands run against them."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)
    northwind: Database | None = None
    order_details: Path | None = None
    people: Database | None = None

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment() | {"TRADEWINDS_HOME": str(self.home)} | self.settings

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `tradewinds` with these words, its output in pipes."""
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
        output, errors = process.communicate(timeout=300)
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
    """A real Postgres for the session."""
    embedded = EmbeddedPostgres(tmp_path_factory.mktemp("server"))
    with embedded.running():
        yield embedded
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


def make_sandbox(server: EmbeddedPostgres, folder: Path) -> Sandbox:
    """Make a fresh home with a Northwind of its own, its order lines, a people database without rejects, and an API."""
    database, lines, people = make_database(server), folder / "order_details.csv", make_database(server)
    fill_northwind(database.url, scale=1)
    write_order_details(lines, scale=1)
    make_people(people.url, sample_people(Home(server.home)))
    settings = {
        "SOURCES__NORTHWIND__CREDENTIALS": database.url,
        "SOURCES__ORDER_DETAILS__PATH": str(lines),
        "PEOPLE_DATABASE_URL": people.url,
        "SOURCES__COMMUNITY__BASE_URL": serve_community(server.home),
    }
    return Sandbox(folder / "home", settings, database, lines, people)


@pytest.fixture
def new_database(server: EmbeddedPostgres) -> Callable[[], Database]:
    """Make an empty database."""
    return lambda: make_database(server)


@pytest.fixture
def northwind(new_database: Callable[[], Database]) -> Database:
    """A database with Northwind's 13 tables, filled, that the test may change."""
    database = new_database()
    fill_northwind(database.url, scale=1)
    return database


@pytest.fixture
def people(server: EmbeddedPostgres, new_database: Callable[[], Database]) -> Database:
    """A people database with the sample's hires and its rejects, that the test may change."""
    database = new_database()
    make_people(database.url, sample_people(Home(server.home)), with_rejects=True)
    return database


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
    return PeopleService(COMMAND, clean_environment(), folder / "home", make_database(server), **settings)


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by what it stands on: the command (e2e), a server (integration), or neither (unit)."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & {"sandbox", "shared_sandbox", "bare_sandbox", "new_service", "shared_service"}:
            item.add_marker("e2e")
        elif fixtures & {"server", "s3_server", "conditional_s3_server"}:
            item.add_marker("integration")
        elif item.get_closest_marker("e2e") is None:
            item.add_marker("unit")
