"""Write files atomically and durably: readers and crashes see the old file or the new one."""

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO
from uuid import uuid4

_DRAFT = re.compile(r"\..+\.[0-9a-f]{32}")
# What the user's umask takes away, while this process takes everything away from everybody else.
_users_umask: int | None = None


@contextmanager
def kept_private(home: Path) -> Iterator[None]:
    """Make files 0600 and folders 0700 in the block, in this process and its children, unless they are shared.

    The home itself is as open as the user's umask says, for those who read what is shared in it. It is created now, and
    removed if it stays empty.
    """
    global _users_umask
    made = [folder for folder in (home, *home.parents) if not folder.exists()]
    with suppress(OSError):  # the command says what is wrong, if it needs the home
        home.mkdir(parents=True, exist_ok=True)
    before, _users_umask = _users_umask, os.umask(0o077)
    try:
        yield
    finally:
        os.umask(_users_umask)
        _users_umask = before
        with suppress(OSError):  # the first folder that isn't empty
            for folder in made:
                folder.rmdir()


def refuse_endless(path: Path) -> None:
    """Raise OSError when a path is a device or a pipe: reading it might never end."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "Not a regular file", str(path))


def share(path: Path) -> None:
    """Open a file or folder to those to whom the user's umask opens it; call before it is put in place."""
    if _users_umask is not None:
        path.chmod((0o777 if path.is_dir() else 0o666) & ~_users_umask)


def write_atomically(path: Path, text: str, *, is_shared: bool = False) -> None:
    """Replace a file's content by one rename, synced to disk before and after.

    A kill before the rename leaves a hidden draft, which the next write in the folder removes.
    """
    make_folder(path.parent, is_shared=is_shared)
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    with _claim(draft) as file:
        try:
            file.write(text)
            file.flush()
            if is_shared:
                share(draft)
            move_into_place(draft, path)
        finally:
            draft.unlink(missing_ok=True)


def _claim(draft: Path) -> TextIO:
    """Create a draft and hold its lock, which kill -9 frees; remove drafts in its folder whose lock nobody holds."""
    gate = os.open(draft.parent, os.O_RDONLY)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        for left in filter(lambda path: _DRAFT.fullmatch(path.name), draft.parent.iterdir()):
            with suppress(OSError), left.open(encoding="utf-8") as abandoned:
                fcntl.flock(abandoned, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
        file = draft.open("w", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        return file
    finally:
        os.close(gate)


def move_into_place(draft: Path, path: Path) -> None:
    """Move a finished file to its final path by one rename, synced to disk before and after."""
    sync_file(draft)
    draft.replace(path)
    sync_folder(path.parent)


def make_folder(folder: Path, *, is_shared: bool = False) -> None:
    """Create a folder and its missing parents, durably."""
    if not folder.is_dir():
        make_folder(folder.parent, is_shared=is_shared)
        folder.mkdir(exist_ok=True)
        if is_shared:
            share(folder)
        sync_folder(folder.parent)


def sync_file(file: Path) -> None:
    """Make a finished file's content durable."""
    with file.open("rb") as written:
        os.fsync(written.fileno())


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's kernel lock, which kill -9 frees; raises BlockingIOError at once when another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
