"""File locks that the kernel frees however a process ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.errors import StepFailed

WAIT_SECONDS = 180
POLL_SECONDS = 0.01


def try_lock(descriptor: int, kind: int) -> bool:
    """Take the lock, or change its kind, without waiting; return False when another process holds it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_lock(path: Path) -> int:
    """Open a lock file for one holder: flock belongs to the open file, so each holder opens it again."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def release(descriptor: int) -> None:
    """Unlock, then close: a forked child may still hold a copy of the descriptor."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


@contextmanager
def hold_alone(path: Path) -> Iterator[None]:
    """Hold the file's exclusive lock; raises StepFailed after WAIT_SECONDS."""
    descriptor = open_lock(path)
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while not try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise StepFailed(f"embedded Postgres: another command has held {path} for {WAIT_SECONDS} s")
            time.sleep(POLL_SECONDS)
        yield
    finally:
        release(descriptor)
