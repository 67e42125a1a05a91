"""The fixtures of every test: a home of its own, a real Postgres, the real command; and the order of the tests."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import StepFailed
from tests.python.built import BuiltHomes
from tests.python.homes import SHARED_HOMES, dropping_databases, sample_order_lines, session_folder
from tests.python.people_service import PeopleService
from tests.python.s3_servers import S3Server, rclone, seaweedfs
from tests.python.sandbox import (
    Database,
    Sandbox,
    forks,
    make_database,
    make_empty_people_database,
    make_northwind,
    make_people_database,
    make_sandbox,
    make_service,
)

# What pytest makes of the tests' asserts takes 4 s a process, and is kept for the next session.
sys.dont_write_bytecode = False
# What a script starts in the background ignores Ctrl-C, and so would every command that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(autouse=True)
def own_databases() -> Iterator[None]:
    """Drop a test's databases after it."""
    with dropping_databases():
        yield


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
    path.write_bytes(sample_order_lines())
    return path


@pytest.fixture
def sandbox(server: EmbeddedPostgres, tmp_path: Path) -> Sandbox:
    """A fresh home whose databases and order lines may be changed by the test."""
    return make_sandbox(server, tmp_path)


@pytest.fixture
def bare_sandbox(tmp_path: Path) -> Sandbox:
    """A fresh home with nothing configured."""
    return Sandbox(tmp_path / "home")


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
    "test_killed_in_each_step",  # in its whole size
    "test_docs", "test_audit", "test_history", "test_reconciliation", "test_interrupts", "test_people_marts",
    "test_own_project", "test_own_kinds", "test_object_storage", "test_readers", "test_killed_runs", "test_rejects",
    "test_stores", "test_days", "test_dbt_project", "test_slim_ci", "test_people_security", "test_community_marts",
    "test_people_backup_crashes", "test_expectations", "test_boards", "test_engines", "test_quarantine",
)  # fmt: skip


_COMMAND_FIXTURES = {"sandbox", "shared_sandbox", "bare_sandbox", "built_homes", "new_service", "shared_service"}


def pytest_configure() -> None:
    """Start the server of forked commands, for all processes; it imports nothing before it is asked."""
    forks()


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
