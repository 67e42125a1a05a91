"""Where one home's server keeps its things.

The state folder is always `<home>/sources/postgres`. The cluster lies in it too, except when we are
root and some folder above is closed to `nobody` (a home under /root, or in pytest's 0700 folders):
a user's own folders are never opened up, so the cluster then lies in a folder of /var/tmp, or of
the system's temp folder, named after a hash of the home, `tradewinds-postgres-<hash>`, whose path is noted in
`cluster_folder.txt` of the state folder. That folder is removed by `EmbeddedPostgres.remove()`, or
when a later start, of any home, finds that the home it was made for is gone.
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
    """The folder for password, port, locks and log; it may not exist yet."""
    return home / "sources" / "postgres"


def find_place(home: Path, account: Account) -> Path:
    """The folder that holds the cluster: the state folder, or one in the temp folder."""
    state = find_state_folder(home)
    if not account.is_dropped:
        return state
    name = choose_name(home)
    # TMPDIR, or modes, may have changed since; a copied home brings a note of another name.
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
    """Make the state folder and the place, and return the place."""
    state = find_state_folder(home)
    state.mkdir(parents=True, exist_ok=True)
    if not is_ours(state):
        raise StepFailed(f"embedded Postgres: {state} belongs to another user than this one")
    # This one is ours to open: nobody may pass through it to the cluster, and not list it.
    state.chmod(0o711 if account.is_dropped else 0o700)
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
    """The name of the home's folder in a temp folder."""
    return PREFIX + hashlib.sha256(os.fsencode(home)).hexdigest()[:16]


def read_note(note: Path) -> Path | None:
    """The path that is noted there, if any."""
    try:
        return Path(os.fsdecode(note.read_bytes().rstrip(b"\n")))
    except FileNotFoundError:
        return None


def write_note(note: Path, path: Path) -> None:
    """Note a path, whole or not at all: other commands read it without a lock."""
    if read_note(note) != path:
        unfinished = note.with_name(f"{note.name}.{secrets.token_hex(4)}")
        unfinished.write_bytes(os.fsencode(path) + b"\n")
        unfinished.replace(note)


def is_ours(folder: Path) -> bool:
    """Whether this is a real folder that belongs to us, not a name that somebody else made."""
    try:
        status = folder.lstat()
    except FileNotFoundError:  # Swept by another command meanwhile.
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def find_orphans() -> list[Path]:
    """Folders of ours in the temp folder whose home is gone."""
    orphans = []
    for temp in {Path(tempfile.gettempdir()).resolve(), SHARED_TEMP}:
        for folder in temp.glob(f"{PREFIX}*"):
            home = read_note(folder / HOME_NOTE) if is_ours(folder) else None
            # The name must agree: what we don't understand we don't delete.
            is_known = home is not None and folder.name == choose_name(home)
            if is_known and not find_state_folder(home).exists():
                orphans.append(folder)
    return orphans
