"""Temporary folders: each process has one, and the next process removes those of a killed one."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO
from uuid import uuid4

_HELD = ".held"


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """Yield an empty folder below `root`; remove it afterwards, and `root` too if it is empty.

    Its user holds a lock on the file beside it, which the kernel frees on kill -9.
    """
    folder = root / uuid4().hex
    held = None
    while held is None:
        with suppress(FileNotFoundError):  # another process has just removed the empty root
            held = _claim(root, folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(_HELD).unlink(missing_ok=True)
        held.close()
        with suppress(OSError):
            root.rmdir()


def _claim(root: Path, folder: Path) -> TextIO:
    root.mkdir(parents=True, exist_ok=True)
    gate = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        _remove_abandoned(root)
        held = folder.with_suffix(_HELD).open("w", encoding="utf-8")
        fcntl.flock(held, fcntl.LOCK_EX)
        folder.mkdir()
        return held
    finally:
        os.close(gate)


def _remove_abandoned(root: Path) -> None:
    for beside in root.glob(f"*{_HELD}"):
        with suppress(BlockingIOError, FileNotFoundError), beside.open(encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(beside.with_suffix(""), ignore_errors=True)
            beside.unlink()
