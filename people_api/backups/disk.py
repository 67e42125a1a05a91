"""Backups in a folder on disk."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from ingestion.files import move_into_place, sync_folder


@dataclass(frozen=True)
class DiskFolder:
    """A folder whose files appear by one rename each."""

    path: Path

    def names(self) -> list[str]:
        return [entry.name for entry in self.path.iterdir()] if self.path.is_dir() else []

    @contextmanager
    def draft(self) -> Iterator[Path]:
        if not self.path.is_dir():
            self.path.mkdir(parents=True, exist_ok=True)
            # The table's folder, and the store's, may both be new.
            for folder in (self.path.parent, self.path.parent.parent):
                sync_folder(folder)
        draft = self.path / f".draft-{uuid4().hex}"
        try:
            draft.touch()
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def put(self, draft: Path, name: str) -> None:
        if (self.path / name).exists():
            raise FileExistsError(f"{self.path / name} exists")
        move_into_place(draft, self.path / name)

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        # A pipe or a device could be read from for ever.
        if not (self.path / name).is_file():
            raise FileNotFoundError(name)
        return (self.path / name).open("rb")

    def location(self, name: str) -> str:
        return str(self.path / name)
