"""The port of a home: chosen once, stored, and chosen again if another process has taken it."""

import secrets
import socket
from contextlib import suppress
from pathlib import Path

from ingestion.errors import StepFailed

# Below the ephemeral ports of Linux (32768+) and macOS (49152+).
FIRST, LAST = 20_000, 32_000
TRIES = 200


def read(state: Path) -> int:
    """Return the stored port; raises FileNotFoundError before the first start."""
    return int((state / "port").read_text(encoding="ascii"))


def is_free(port: int) -> bool:
    """Return whether a server could listen there now; connections in TIME_WAIT don't count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(state: Path) -> int:
    """Return the stored port if it is free, else choose and store a new one."""
    with suppress(FileNotFoundError, ValueError):
        if is_free(remembered := read(state)):
            return remembered
    for _ in range(TRIES):
        port = FIRST + secrets.randbelow(LAST - FIRST)
        if is_free(port):
            (state / "port").write_text(f"{port}\n", encoding="ascii")
            return port
    raise StepFailed(f"embedded Postgres: no free port between {FIRST} and {LAST}")
