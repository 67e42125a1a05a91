"""The account that the server runs as: our own, or `nobody` if we are root (Postgres refuses root)."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ingestion.errors import StepFailed


@dataclass(frozen=True)
class Account:
    """An account; `is_dropped` is True when children must drop root to become it."""

    uid: int
    gid: int
    is_dropped: bool

    def spawn(
        self,
        command: Sequence[str | Path],
        output: BinaryIO,
        environment: dict[str, str] | None = None,
        new_session: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Start a command as this account, without a shell, input, terminal or inherited descriptors."""
        identity: dict[str, Any] = {}
        if self.is_dropped:
            # subprocess calls setgroups, setgid and setuid in C between fork and exec, which is safe with threads;
            # a Python preexec_fn isn't.
            identity = {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            # A pipe would block our caller until the server ends.
            stdout=output,
            stderr=output,
            # Our environment may hold other sources' passwords and PG* variables.
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **(environment or {})},
            cwd="/",  # This account may have no access to the caller's folder.
            umask=0o077,
            close_fds=True,
            start_new_session=new_session,  # Ctrl-C must not stop the server.
            **identity,
        )

    def take_over(self, path: Path) -> None:
        """Make this account the owner of the path."""
        if self.is_dropped:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Return whether this account may traverse the folder and its parents."""
        return all(self._allows(level, 0o1) for level in (folder, *folder.parents))

    def can_use(self, folder: Path) -> bool:
        """Return whether this account can reach the folder and read everything in it."""
        return self.can_enter(folder) and all(
            self._allows(entry, 0o5 if entry.is_dir() else 0o4) for entry in (folder, *folder.rglob("*"))
        )

    def _allows(self, path: Path, wanted: int) -> bool:
        status = path.stat()
        if status.st_uid == self.uid:
            wanted <<= 6
        elif status.st_gid == self.gid:
            wanted <<= 3
        return status.st_mode & wanted == wanted


def find_account() -> Account:
    """Return the server's account; raises StepFailed when we are root and `nobody` doesn't exist."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), is_dropped=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise StepFailed("embedded Postgres: it can't run as root, and this system has no user nobody") from None
    return Account(nobody.pw_uid, nobody.pw_gid, is_dropped=True)
