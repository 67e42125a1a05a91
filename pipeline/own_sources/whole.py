"""Change several files of the project as a whole: after a kill, the next command restores them."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingestion.errors import StepFailed
from ingestion.files import move_into_place, sync_folder
from ingestion.redact import one_line

_FOLDER = ".dlt"
# Every file that is written, with its text before (null: there was none); it is there until all are written.
_JOURNAL = f"{_FOLDER}/adding.json"


@contextmanager
def held_alone(project: Path) -> Iterator[None]:
    """Lock out other commands that change the project; what a killed one left is restored first.

    Raises StepFailed when there is one, or when a file can't be written.
    """
    folder = os.open(project / _FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _restore(project)
        yield
    except BlockingIOError:
        raise StepFailed("another command is adding a source; wait for it to end") from None
    except OSError as error:
        raise StepFailed(f"the source can't be written: {one_line(error)}") from error
    finally:
        os.close(folder)


def restore_project(project: Path) -> None:
    """Restore what a killed command has left half-written; leave it to a command that is writing."""
    if (project / _JOURNAL).exists() or _draft(project / _JOURNAL).exists():
        with suppress(StepFailed), held_alone(project):
            pass


def write_whole(project: Path, texts: dict[str, str], *, last: str, secret: str) -> None:
    """Write files by their paths in the project, or none of them; the caller is alone.

    `last` is put in place last: its new text is the mark that all are written.
    """
    journal = {"before": {name: _read(project / name) for name in texts}, "last": last, "text": texts[last]}
    try:
        move_into_place(_draft_of(project / _JOURNAL, json.dumps(journal), 0o600), project / _JOURNAL)
        # All that needs space comes first.
        drafts = {name: _draft_of(project / name, texts[name], 0o600 if name == secret else 0o666) for name in texts}
        for name in sorted(texts, key=lambda name: name == last):
            move_into_place(drafts[name], project / name)
    finally:
        _restore(project)


def _restore(project: Path) -> None:
    """Undo what the journal says, unless all was written; then remove it."""
    _draft(project / _JOURNAL).unlink(missing_ok=True)
    if (text := _read(project / _JOURNAL)) is None:
        return
    journal = json.loads(text)
    is_whole = _read(project / journal["last"]) == journal["text"]
    for name, before in journal["before"].items():
        path = project / name
        _draft(path).unlink(missing_ok=True)
        if is_whole or name == journal["last"]:
            continue
        if before is None:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # it holds something else, or isn't there yet
                path.parent.rmdir()
        elif before != _read(path):
            move_into_place(_draft_of(path, before), path)
    (project / _JOURNAL).unlink()
    sync_folder(project / _FOLDER)


def _draft_of(path: Path, text: str, mode: int = 0o666) -> Path:
    """Write a file's next text beside it, with its mode, and return where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path)
    draft.touch(mode)
    if path.exists():
        shutil.copymode(path, draft)
    draft.write_text(text, encoding="utf-8")
    return draft


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.adding")


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
