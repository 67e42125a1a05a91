"""What a command has started, and what has a home's files open: a killed command leaves nothing running."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PATIENCE_SECONDS = 10


def descendants(process: int) -> set[tuple[int, str]]:
    """Return all that a process has started, and what that has: each by its number and when it began."""
    parents: dict[int, list[int]] = {}
    began = {}
    for number, fields in _stats():
        parents.setdefault(int(fields[1]), []).append(number)
        began[number] = fields[19]
    found, left = set(), [process]
    while left:
        left += (own := parents.get(left.pop(), []))
        found |= {(child, began[child]) for child in own}
    return found


def _using(home: Path) -> Iterator[str]:
    """Yield what has a file of a home open, or works in it."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            for link in [process / "cwd", *(process / "fd").iterdir()]:
                if Path(link.readlink()).is_relative_to(home):
                    yield (process / "cmdline").read_text(encoding="utf-8").replace("\0", " ")
                    break


def wait_until_gone(started: set[tuple[int, str]], home: Path) -> None:
    """Return once what a killed command had started is gone, and nothing has a file of its home open."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := {*started} & _alive()) or (left := set(_using(home))):
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.02)


def _alive() -> set[tuple[int, str]]:
    return {(number, fields[19]) for number, fields in _stats() if fields[0] != "Z"}


def _stats() -> Iterator[tuple[int, list[str]]]:
    """Yield each process's number and what follows its name in `/proc/<number>/stat`: its state, its parent …."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            yield int(path.parent.name), path.read_text(encoding="utf-8").rpartition(")")[2].split()
