"""The folders of one home's server.

The state folder is always `<home>/sources/postgres`. It also holds the cluster, except when we are root and `nobody`
can't traverse a parent folder (a home under /root, or in pytest's 0700 folders). We never change the modes of a user's
folders. The cluster then lies in `tradewinds-postgres-<hash of the home>` in /var/tmp or the system's temp folder, and
`cluster_folder.txt` in the state folder holds its path. `EmbeddedPostgres.remove()` removes that folder; so does a
later start of any home when the folder's home is gone.
"""

import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from ingestion.embedded.account import Account
from ingestion.errors import StepFailed

PREFIX = "tradewinds-postgres-"
NOTE = "cluster_folder.txt"
HOME_NOTE = "home.txt"
SHARED_TEMP = Path("/var/tmp")  # noqa: S108 (what we make there is checked to be ours)


def find_state_folder(home: Path) -> Path:
    """Return the folder for password, port, locks and log; it may not exist yet."""
    return home / "sources" / "postgres"


def find_place(home: Path, account: Account) -> Path:
    """Return the folder that holds the cluster: the state folder, or one in a temp folder."""
    state = find_state_folder(home)
    if not account.is_dropped:
        return state
    name = choose_name(home)
    # TMPDIR or modes may have changed since; a copied home has a note with another name.
    noted = read_note(state / NOTE)
    if noted is not None and noted.name == name and noted.is_dir():
        return noted
    if state.is_dir() and account.can_enter(state):
        return state
    for temp in (SHARED_TEMP, Path(tempfile.gettempdir()).resolve()):  # a restart may empty the latter
        if temp.is_dir() and account.can_enter(temp):
            return temp / name
    raise StepFailed(f"embedded Postgres: {state} and the temp folder are closed to user nobody")


def prepare(home: Path, account: Account) -> Path:
    """Create the state folder and the cluster's place; return the place."""
    state = find_state_folder(home)
    state.mkdir(parents=True, exist_ok=True)
    if not is_ours(state):
        raise StepFailed(f"embedded Postgres: {state} belongs to another user than this one")
    # `nobody` may traverse these folders to reach the cluster, but not list them.
    for folder in filter(is_ours, (state.parent, state)):
        folder.chmod(0o711 if account.is_dropped else 0o700)
    place = find_place(home, account)
    if place != state:
        if (state / "cluster").exists():
            raise StepFailed(
                f"embedded Postgres: {state / 'cluster'} is now out of reach for user nobody; "
                "open the folders above it, or delete it to begin anew"
            )
        place.mkdir(mode=0o711, exist_ok=True)
        if not is_ours(place):
            raise StepFailed(f"embedded Postgres: {place} belongs to someone else")
        place.chmod(0o711)
        write_note(place / HOME_NOTE, home)
        write_note(state / NOTE, place)
    return place


def choose_name(home: Path) -> str:
    """Return the name of the home's folder in a temp folder."""
    return PREFIX + hashlib.sha256(os.fsencode(home)).hexdigest()[:16]


def read_note(note: Path) -> Path | None:
    """Return the path in the note, None if there is none."""
    try:
        return Path(os.fsdecode(note.read_bytes().rstrip(b"\n")))
    except FileNotFoundError:
        return None


def write_note(note: Path, path: Path) -> None:
    """Write a path atomically: other commands read it without a lock."""
    if read_note(note) != path:
        unfinished = note.with_name(f"{note.name}.{secrets.token_hex(4)}")
        unfinished.write_bytes(os.fsencode(path) + b"\n")
        unfinished.replace(note)


def is_ours(folder: Path) -> bool:
    """Return whether this is a real folder that we own, not one that somebody else made."""
    try:
        status = folder.lstat()
    except FileNotFoundError:  # Another command has removed it.
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def find_orphans() -> list[Path]:
    """Return our folders in the temp folders that have lost their home."""
    orphans = []
    for temp in {Path(tempfile.gettempdir()).resolve(), SHARED_TEMP}:
        for folder in temp.glob(f"{PREFIX}*"):
            home = read_note(folder / HOME_NOTE) if is_ours(folder) else None
            # Delete nothing that has an unexpected name.
            if home is not None and folder.name == choose_name(home) and not find_state_folder(home).exists():
                orphans.append(folder)
    return orphans
