"""The embedded default: what stands in for a source that isn't configured."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.samples.generate import fill_northwind, write_order_details
from ingestion.settings import Home

_DATABASE = "northwind"


@contextmanager
def sample_database(home: Home) -> Iterator[str]:
    """Yield the URL of the embedded Northwind, filled when it is new, and stop its server if this started it."""
    server = EmbeddedPostgres(home.root)
    with server.running():
        if server.ensure_database(_DATABASE):
            fill_northwind(server.url(_DATABASE), scale=1)
        yield server.url(_DATABASE)


def sample_order_details(home: Home) -> Path:
    """Return the sample's order lines, written when they aren't there."""
    path = home.sources / "order_details.csv"
    if not path.exists():
        write_order_details(path, scale=1)
    return path


def make_samples(home: Home, scale: int) -> dict[str, int]:
    """Make every sample again at this scale; return rows per table."""
    server = EmbeddedPostgres(home.root)
    with server.running():
        server.ensure_database(_DATABASE)
        rows = fill_northwind(server.url(_DATABASE), scale)
    return rows | {"order_details": write_order_details(home.sources / "order_details.csv", scale)}
