"""A folder on disk: each file appears by one rename or link."""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from ingestion.files import locked, make_folder, move_into_place, share, sync_file, sync_folder, write_atomically
from ingestion.stores.base import Overtaken
from ingestion.stores.scratch import scratch_folder


class DiskStore:
    """The files below a folder; other users may read those of a shared one, if the umask says so."""

    def __init__(self, root: Path, is_shared: bool = False):
        self._root, self._is_shared = root, is_shared
        self.work = root / "_work"

    def location(self, name: str = "") -> str:
        return str(self._root / name)

    def caution(self) -> None:
        return None

    def holds(self, name: str) -> bool:
        return (self._root / name).resolve().is_relative_to(self._resolved)

    @cached_property
    def _resolved(self) -> Path:
        return self._root.resolve()

    def names(self, folder: str = "") -> list[str]:
        found = (self._root / folder).rglob("*")
        return sorted(path.relative_to(self._root).as_posix() for path in found if path.is_file())

    def size(self, name: str) -> int | None:
        path = self._root / name
        return path.stat().st_size if path.is_file() else None

    def version(self, name: str) -> str | None:
        try:
            found = (self._root / name).stat()
        except FileNotFoundError:
            return None
        return f"{found.st_ino}-{found.st_mtime_ns}"

    def read(self, name: str) -> str:
        return (self._root / name).read_text(encoding="utf-8")

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        # Reading a pipe or a device might never end.
        if not (self._root / name).is_file():
            raise FileNotFoundError(name)
        return (self._root / name).open("rb")

    @contextmanager
    def local(self, names: list[str]) -> Iterator[list[Path]]:
        paths = [self._root / name for name in names]
        for name, path in zip(names, paths, strict=True):
            if not path.is_file():
                raise FileNotFoundError(name)
        yield paths

    def latest(self, name: str) -> Path | None:
        path = self._root / name
        return path if path.is_file() else None

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        make_folder(self._root, is_shared=self._is_shared)
        with scratch_folder(self.work) as folder:
            yield folder / Path(name).name

    def add(self, file: Path, name: str) -> None:
        path = self._folder_of(name) / Path(name).name
        if self._is_shared:
            share(file)
        sync_file(file)
        try:
            os.link(file, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            with self.draft(name) as draft:
                shutil.copyfile(file, draft)
                if path.exists():
                    raise FileExistsError(f"{path} exists") from None
                move_into_place(draft, path)
        sync_folder(path.parent)

    def put(self, draft: Path, name: str) -> None:
        self._folder_of(name)
        if self._is_shared:
            share(draft)
        move_into_place(draft, self._root / name)

    def copy(self, name: str, to: str) -> None:
        # Files are replaced, never modified, because hard links may share one.
        with self.draft(to) as draft:
            try:
                os.link(self._root / name, draft)
            except FileNotFoundError:
                raise
            except OSError:  # a file system without hard links
                shutil.copyfile(self._root / name, draft)
            self.put(draft, to)

    def write(self, name: str, text: str) -> None:
        write_atomically(self._root / name, text, is_shared=self._is_shared)

    def swap(self, name: str, text: str, version: str | None) -> str:
        # Every writer holds an exclusive lock, so nothing happens between check and write.
        if self.version(name) != version:
            raise Overtaken(f"{self.location(name)} has changed meanwhile")
        self.write(name, text)
        now = self.version(name)
        assert now, "nobody else removes it under the lock"
        return now

    def remove(self, name: str) -> None:
        (self._root / name).unlink(missing_ok=True)

    def prune(self, folder: str) -> None:
        with suppress(OSError):  # it is missing or not empty
            (self._root / folder).rmdir()

    def lock(self, name: str) -> AbstractContextManager[None]:
        self._folder_of(name)
        return locked(self._root / name)

    def _folder_of(self, name: str) -> Path:
        """Return the folder of a file, created if it is missing."""
        folder = (self._root / name).parent
        make_folder(folder, is_shared=self._is_shared)
        return folder
