"""What many tests begin with, made once for all processes of a session and copied into each test."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.samples.generate import write_order_details

# The databases that tests have to themselves, oldest first.
_OWN: list[tuple[EmbeddedPostgres, str]] = []

# A folder that several sessions share, one after the other or side by side; who names it removes it.
SHARED_HOMES = os.environ.get("TRADEWINDS_TEST_HOMES")


def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all of pytest-xdist's processes share; TRADEWINDS_TEST_HOMES names one for more sessions."""
    if SHARED_HOMES:
        return Path(SHARED_HOMES)
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made_once(path: Path, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first process to ask has made; the others wait for it."""
    with _alone(path):
        done = path / ".made"
        if not done.exists():
            shutil.rmtree(path, ignore_errors=True)  # what a failed attempt left
            path.mkdir(parents=True)
            make(path)
            done.touch()
    return path


def template_database(server: EmbeddedPostgres, name: str, fill: Callable[[str], None]) -> str:
    """Return the name of a database that the first process to ask has filled, to make copies of."""
    with _alone(server.home / name):
        if server.ensure_database(name):
            fill(server.url(name))
    return name


def copy_database(server: EmbeddedPostgres, template: str, name: str | None = None) -> str:
    """Copy a database that nobody is connected to, in place of one of that name, and return the URL of the copy."""
    name = name or name_database(server)
    with _alone(server.home / template), psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')
        connection.execute(f'create database "{name}" template "{template}"')
    return server.url(name)


def name_database(server: EmbeddedPostgres) -> str:
    """Return a name for a database that a test, or the tests of a file, has to itself."""
    name = f"test_{uuid4().hex}"
    _OWN.append((server, name))
    return name


@cache
def sample_order_lines() -> bytes:
    """Return the order lines that belong to the sample's database, made once a process: it takes 0.2 s."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "order_details.csv"
        write_order_details(path, scale=1)
        return path.read_bytes()


@contextmanager
def dropping_databases() -> Iterator[None]:
    """Drop the databases that have been named in the block: to delete all of a session's at its end takes minutes."""
    before = len(_OWN)
    yield
    for server, name in _OWN[before:]:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f'drop database if exists "{name}" with (force)')
    del _OWN[before:]
