"""The embedded default: what stands in for a source that isn't configured."""

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
    """Yield the URL of the embedded Northwind, filled when it is new, and stop its server if this started it."""
    server = EmbeddedPostgres(home.root)
    with server.running():
        with _filling(server):
            if not is_filled(server.url(_DATABASE)):
                fill_northwind(server.url(_DATABASE), scale=1)
        yield server.url(_DATABASE)


@contextmanager
def _filling(server: EmbeddedPostgres) -> Iterator[None]:
    """Have the database to oneself while it is looked at and filled: a fill may be under way, or was killed."""
    with hold_alone(server.state / "fill.lock"):
        server.ensure_database(_DATABASE)
        yield


def sample_file(home: Home, name: str) -> Path:
    """Return a sample file's place, written when it isn't there."""
    path = home.sources / f"{name}.csv"
    if not path.exists():
        _FILES[name](path, scale=1)
    return path


def sample_people(home: Home) -> dict[str, Path]:
    """Return the people files' places by table, parents before children, each written when it isn't there."""
    paths = _people_files(home)
    for path in paths.values():
        if not path.exists():
            write_people(path, scale=1)
    return paths


def sample_api(home: Home, port: int = 0) -> ApiServer:
    """Return a server of the community's data, generated when it isn't there; StepFailed when the port is taken."""
    paths = _community_files(home)
    if not all(path.exists() for path in paths.values()):
        write_api_files(paths, scale=1)
    try:
        return ApiServer(paths, port)
    except OSError as error:
        raise StepFailed(f"sample community: port {port} can't be listened on: {error.strerror}") from error


def make_samples(home: Home, scale: int) -> dict[str, int]:
    """Make every sample again at this scale; return rows per table."""
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
