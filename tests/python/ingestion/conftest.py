"""The fixtures of more than one file of ingestion's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.landing import Landing
from ingestion.settings import Home
from tests.python.community import FaultyApi, small_rows


@pytest.fixture
def api() -> Iterator[FaultyApi]:
    """A small community, served."""
    server = FaultyApi(small_rows())
    with server.running():
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def landing(home: Home) -> Landing:
    return Landing(home)
