"""The samples that replace sources without settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.embedded.locks import hold_alone
from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import StepFailed
from ingestion.samples.api_files import RESOURCES, write_api_files
from ingestion.samples.api_server import ApiServer
from ingestion.samples.generate import (
    PEOPLE_TABLES,
    fill_northwind,
    is_filled,
    write_event_log,
    write_order_details,
    write_people,
)
from ingestion.settings import Home

_DATABASE = "northwind"
_FILES = {"order_details": write_order_details, "event_log": write_event_log}


@contextmanager
def sample_database(home: Home) -> Iterator[str]:
    """Yield the URL of the embedded Northwind, filled if it is new; stop its server if this call started it."""
    server = EmbeddedPostgres(home.root)
    with server.running():
        with _filling(server):
            if not is_filled(server.url(_DATABASE)):
                fill_northwind(server.url(_DATABASE), scale=1)
        yield server.url(_DATABASE)


@contextmanager
def _filling(server: EmbeddedPostgres) -> Iterator[None]:
    """Lock the database while it is checked and filled: another fill may be running, or was killed."""
    with hold_alone(server.state / "fill.lock"):
        server.ensure_database(_DATABASE)
        yield


@contextmanager
def sample_place(home: Home, source: str) -> Iterator[str]:
    """Yield the path of a source's sample file, written if it is missing, or the URL of a server during the block."""
    if source in _FILES:
        path = home.sources / f"{source}.csv"
        if not path.exists():
            _FILES[source](path, scale=1)
        yield str(path)
        return
    with sample_database(home) if source == _DATABASE else sample_api(home).running() as url:
        yield url


def sample_people(home: Home) -> dict[str, Path]:
    """Return the people files' paths by table, parents before children; write those that are missing."""
    paths = _people_files(home)
    for path in paths.values():
        if not path.exists():
            write_people(path, scale=1)
    return paths


def sample_api(home: Home, port: int = 0) -> ApiServer:
    """Return a server of the community's data, generated if missing; raises StepFailed when the port is taken."""
    paths = _community_files(home)
    if not all(path.exists() for path in paths.values()):
        write_api_files(paths, scale=1)
    try:
        return ApiServer(paths, port)
    except OSError as error:
        raise StepFailed(f"sample community: port {port} can't be listened on: {error.strerror}") from error


def make_samples(home: Home, scale: int) -> dict[str, int]:
    """Generate every sample again at this scale; return the number of rows by table."""
    server = EmbeddedPostgres(home.root)
    with server.running(), _filling(server):
        rows = fill_northwind(server.url(_DATABASE), scale)
    rows |= {name: write(home.sources / f"{name}.csv", scale) for name, write in _FILES.items()}
    rows |= {f"people {table}": write_people(path, scale) for table, path in _people_files(home).items()}
    community = write_api_files(_community_files(home), scale)
    return rows | {f"community {resource}": count for resource, count in community.items()}


def _people_files(home: Home) -> dict[str, Path]:
    return {table: home.sources / "people" / f"{table}.csv" for table in PEOPLE_TABLES}


def _community_files(home: Home) -> dict[str, Path]:
    return {resource: home.sources / "community" / f"{resource}.jsonl" for resource in RESOURCES}
