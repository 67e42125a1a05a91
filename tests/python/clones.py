"""Copies of the project to type commands in, each with an environment like the one that `make setup` makes."""

import shutil
import subprocess
from pathlib import Path

from ingestion.settings import PROJECT
from tests.python.forks import Forks


def clone_project(folder: Path) -> Path:
    """Copy the files that git has, as they are in the working tree; the environment's parts are links to this one's."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, folder / name)
    (folder / ".venv" / "bin").mkdir(parents=True)
    for path in [*(PROJECT / ".venv").iterdir(), *(PROJECT / ".venv" / "bin").iterdir()]:
        place = folder / path.relative_to(PROJECT)
        if not place.exists():
            place.symlink_to(path)
    return folder


def fork_programs(clone: Path, forks: Forks, *names: str) -> None:
    """Have a clone's environment fork these programs in place of starting them."""
    for name in names:
        (clone / ".venv" / "bin" / name).unlink()
        forks.write_stand_in(clone / ".venv" / "bin" / name)
