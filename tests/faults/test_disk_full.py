"""A disk that is full at any byte of a step: old data stays, one line says it, and with room the step goes on."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.small import Small
from tests.faults.trials import Fault
from tests.faults.worker import Worker
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY, NEXT_DAY

MIB = 1024 * 1024
PAGE = 4096


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Callable[[int | None], None]]:
    """Put what is in a folder on a disk of so many bytes; yield what leaves some of them free, None for all."""
    kept = folder.with_name(f"{folder.name}.kept")
    folder.rename(kept)
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a disk can't be made small here, which takes root: {mounted.stderr.strip()}")
    ballast = folder / "ballast"

    def leave(free: int | None) -> None:
        ballast.unlink(missing_ok=True)
        if free is not None:
            there = os.statvfs(folder)
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(1, there.f_bavail * there.f_frsize - free))

    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        yield leave
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize(("place", "most"), [("landing", 30 * PAGE), ("warehouse", 2 * MIB)])
def test_a_full_disk_in_extract_and_load(
    fault: Callable[[str], Fault], worker: Worker, tmp_path: Path, place: str, most: int
) -> None:
    """The next day, and then a day again, in a home whose landing (with its working folder) or warehouse is full."""
    made = Small(tmp_path / "made", worker)
    made.folder.mkdir()
    assert made.do(0) == 0
    counting, full, errors = fault(f"disk full in the {place}"), 0, tmp_path / "errors"
    for chance in counting.trials(100, 3):
        small = made.copy(tmp_path / "full")
        day = counting.trial % 2
        with small_disk(small.home / place, 16 * MIB) as leave:
            leave(chance.randrange(0, most, PAGE))
            if small.do(day, lines=1, errors=str(errors)):
                full += 1
                assert errors.read_text(encoding="utf-8").startswith("StepFailed: "), counting
                assert "No space left on device" in errors.read_text(encoding="utf-8"), counting
            before, after = {0: 0}, {0: 0, day: 1}
            states = [(before, before), (after, before), (after, after)]
            leave(None)
            counting.seen(small.state(), *(small.expected(*state) for state in states))
            assert small.do(day, lines=1) == 0, counting
            small_end = small.end(*{0, day})
            counting.converged((small_end[0], small_end[2:]), (small.expected(after, after), ({0: 1, day: 1}, set())))
    assert full > 0


def test_a_full_disk_in_a_publish(fault: Callable[[str], Fault], built_homes: BuiltHomes, tmp_path: Path) -> None:
    """Readers have the day before, whole, until there is room."""
    sandbox = built_homes.copy_changed(tmp_path)
    wanted = sandbox.published("select run_date::text, content_hash from published_version")
    published = sandbox.home / "published"
    shutil.rmtree(published)
    shutil.copytree(built_homes.original().home / "published", published)
    before = sandbox.published("select run_date::text, content_hash from published_version")
    assert [day for day, _ in before + wanted] == [BUILT_DAY, NEXT_DAY]
    size, counting, full = sum(path.stat().st_size for path in published.rglob("*") if path.is_file()), None, 0
    counting = fault("disk full in what is published")
    for chance in counting.trials(20, 2):
        with small_disk(published, size + 64 * MIB) as leave:
            leave(chance.randrange(0, size // 2, PAGE))
            done = sandbox.run("publish", "--run-date", NEXT_DAY)
            if done.returncode:
                full += 1
                assert "No space left on device" in done.stderr, counting
                assert len(done.stderr.strip().splitlines()) <= 2, done.stderr
                assert sandbox.published("select run_date::text, content_hash from published_version") == before
            leave(None)
            sandbox.succeed("publish", "--run-date", NEXT_DAY)
            counting.converged(sandbox.published("select run_date::text, content_hash from published_version"), wanted)
        published.rmdir()
        (sandbox.home / "published.kept").rename(published)
    assert full > 0
