"""What is asked of a place for files."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol


class Overtaken(OSError):
    """Somebody else has put another version in place meanwhile."""


class Store(Protocol):
    """Files by name (`a/b.parquet`), each of them whole or not there; whatever goes wrong is an OSError."""

    work: Path  # a local folder for what isn't in the store yet; on its own file system where it has one

    def location(self, name: str = "") -> str:
        """Return the whole path or URL of a file, or of the store; it holds no secret."""

    def caution(self) -> str | None:
        """Say, for a person, what the store can't promise; None when it promises all that is said here."""

    def holds(self, name: str) -> bool:
        """Say whether a name stays within the store, links followed."""

    def names(self, folder: str = "") -> list[str]:
        """Return the names of all files below a folder in their order, none when there is no folder."""

    def size(self, name: str) -> int | None:
        """Return a file's bytes, None when there is no such file."""

    def version(self, name: str) -> str | None:
        """Return what changes whenever the file does, None when there is no such file."""

    def read(self, name: str) -> str:
        """Return a small file's text; raises FileNotFoundError, or UnicodeDecodeError when it is none."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file to read from its start to its end; raises FileNotFoundError."""

    def local(self, names: list[str]) -> AbstractContextManager[list[Path]]:
        """Hand out files to be read by path while the block lasts; raises FileNotFoundError."""

    def latest(self, name: str) -> Path | None:
        """Return where to read a file as it is now; a copy stays until there are two newer ones."""

    def draft(self, name: str) -> AbstractContextManager[Path]:
        """Hand out a path to write a file of this name to, which is gone afterwards unless it was put in place."""

    def add(self, file: Path, name: str) -> None:
        """Keep a local file under a new name, durable; raises FileExistsError instead of replacing another."""

    def put(self, draft: Path, name: str) -> None:
        """Put a draft in place, durable, at once for whoever reads."""

    def copy(self, name: str, to: str) -> None:
        """Put a copy of a file in place, durable, at once for whoever reads."""

    def write(self, name: str, text: str) -> None:
        """Put a text in place, durable, at once for whoever reads."""

    def swap(self, name: str, text: str, version: str | None) -> str:
        """Put a text in place of that version, of no file when it is None, and return its own; raises Overtaken."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def prune(self, folder: str) -> None:
        """Remove a folder that holds nothing."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold a name alone; raises BlockingIOError at once when another process does."""
