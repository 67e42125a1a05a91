"""The fixtures of more than one file of ingestion's tests."""

from collections.abc import Iterator

import pytest

from tests.python.community import FaultyApi, small_rows


@pytest.fixture
def api() -> Iterator[FaultyApi]:
    """A small community, served."""
    server = FaultyApi(small_rows())
    with server.running():
        yield server
