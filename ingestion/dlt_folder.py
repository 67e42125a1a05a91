"""A working folder for dlt, which takes a % in the path of its files for a placeholder."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def dlt_folder(folder: Path) -> Iterator[str]:
    """Make a folder, and yield its path, or that of a temporary one if the path has a %."""
    folder.mkdir(parents=True, exist_ok=True)
    if "%" not in str(folder):
        yield str(folder)
        return
    with TemporaryDirectory(prefix="tradewinds-") as temporary:
        yield temporary


def brought_into(folder: Path, file: str) -> Path:
    """Return the path of a file below the folder, to which it is copied from a temporary one."""
    path = Path(file)
    return path if path.resolve().is_relative_to(folder.resolve()) else Path(shutil.copy(path, folder / path.name))
