"""The port of a home: chosen once, remembered, and chosen anew when somebody else has taken it."""

import secrets
import socket
from pathlib import Path

from ingestion.errors import StepFailed

# Below the ports that Linux (32768+) and macOS (49152+) hand out to outgoing connections.
FIRST, LAST = 20_000, 32_000
TRIES = 200


def read(state: Path) -> int:
    """The remembered port; raises FileNotFoundError before the first start."""
    return int((state / "port").read_text(encoding="ascii"))


def is_free(port: int) -> bool:
    """Whether a server could listen there now; connections just closed don't count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(state: Path) -> int:
    """The remembered port when it is free, else a new one, remembered from now on."""
    try:
        remembered = read(state)
    except (FileNotFoundError, ValueError):
        remembered = None
    if remembered is not None and is_free(remembered):
        return remembered
    for _ in range(TRIES):
        port = FIRST + secrets.randbelow(LAST - FIRST)
        if is_free(port):
            (state / "port").write_text(f"{port}\n", encoding="ascii")
            return port
    raise StepFailed(f"embedded Postgres: no free port between {FIRST} and {LAST}")
