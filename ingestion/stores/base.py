"""The interface of a store for files."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol


class Overtaken(OSError):
    """Another process has put another version in place meanwhile."""


class Store(Protocol):
    """Files by name (`a/b.parquet`), each complete or absent; every failure is an OSError."""

    work: Path  # a local folder for files that aren't in the store yet; on the store's file system if it has one

    def location(self, name: str = "") -> str:
        """Return the full path or URL of a file or of the store, without secrets."""

    def caution(self) -> str | None:
        """Return a warning about missing guarantees, or None."""

    def holds(self, name: str) -> bool:
        """Return whether a name stays within the store after following links."""

    def names(self, folder: str = "") -> list[str]:
        """Return the sorted names of all files below a folder, none when there is no folder."""

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes, None when there is no such file."""

    def version(self, name: str) -> str | None:
        """Return a value that changes whenever the file does, None when there is no such file."""

    def read(self, name: str) -> str:
        """Return a small file's text; raises FileNotFoundError, or UnicodeDecodeError when it isn't text."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file for sequential reading; raises FileNotFoundError."""

    def local(self, names: list[str]) -> AbstractContextManager[list[Path]]:
        """Yield local paths of files for the length of the block; raises FileNotFoundError."""

    def latest(self, name: str) -> Path | None:
        """Return a path to read the file's current version; a copy stays until there are two newer ones."""

    def draft(self, name: str) -> AbstractContextManager[Path]:
        """Yield a path for a draft of this file; the draft is removed afterwards unless it was put in place."""

    def add(self, file: Path, name: str) -> None:
        """Store a local file durably under a new name; raises FileExistsError instead of replacing another."""

    def put(self, draft: Path, name: str) -> None:
        """Put a draft in place, durably and atomically."""

    def copy(self, name: str, to: str) -> None:
        """Put a copy of a file in place, durably and atomically."""

    def write(self, name: str, text: str) -> None:
        """Put a text in place, durably and atomically."""

    def swap(self, name: str, text: str, version: str | None) -> str:
        """Replace that version (None: no file) by a text, and return the new version; raises Overtaken."""

    def remove(self, name: str) -> None:
        """Remove a file if it exists."""

    def prune(self, folder: str) -> None:
        """Remove a folder if it is empty."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold an exclusive lock on a name; raises BlockingIOError at once when another process holds it."""
