"""Two stores as one: the files below one folder are in another store, under the same names."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from ingestion.stores.base import Store


class Apart:
    """A store with one folder in another store; nothing can be copied into or out of that folder."""

    def __init__(self, store: Store, folder: str, other: Store):
        self._store, self._folder, self._other = store, folder, other
        self.work = store.work

    def _of(self, name: str) -> Store:
        return self._other if f"{name}/".startswith(f"{self._folder}/") else self._store

    def location(self, name: str = "") -> str:
        return self._of(name).location(name)

    def caution(self) -> str | None:
        return "; ".join(filter(None, (self._store.caution(), self._other.caution()))) or None

    def holds(self, name: str) -> bool:
        return self._of(name).holds(name)

    def names(self, folder: str = "") -> list[str]:
        found = self._of(folder).names(folder)
        if not folder or self._folder.startswith(f"{folder}/"):
            found = found + self._other.names(self._folder)
        return sorted(found)

    def size(self, name: str) -> int | None:
        return self._of(name).size(name)

    def version(self, name: str) -> str | None:
        return self._of(name).version(name)

    def read(self, name: str) -> str:
        return self._of(name).read(name)

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        return self._of(name).open(name)

    @contextmanager
    def local(self, names: list[str]) -> Iterator[list[Path]]:
        paths: dict[str, Path] = {}
        with ExitStack() as held:
            for store in (self._store, self._other):
                own = [name for name in names if self._of(name) is store]
                paths |= zip(own, held.enter_context(store.local(own)), strict=True)
            yield [paths[name] for name in names]

    def latest(self, name: str) -> Path | None:
        return self._of(name).latest(name)

    def draft(self, name: str) -> AbstractContextManager[Path]:
        return self._of(name).draft(name)

    def add(self, file: Path, name: str) -> None:
        self._of(name).add(file, name)

    def put(self, draft: Path, name: str) -> None:
        self._of(name).put(draft, name)

    def copy(self, name: str, to: str) -> None:
        self._of(name).copy(name, to)

    def write(self, name: str, text: str) -> None:
        self._of(name).write(name, text)

    def swap(self, name: str, text: str, version: str | None) -> str:
        return self._of(name).swap(name, text, version)

    def remove(self, name: str) -> None:
        self._of(name).remove(name)

    def prune(self, folder: str) -> None:
        self._of(folder).prune(folder)

    def lock(self, name: str) -> AbstractContextManager[None]:
        return self._of(name).lock(name)
