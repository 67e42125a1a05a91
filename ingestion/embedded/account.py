"""The account the server runs as: our own, or `nobody` when we are root (Postgres refuses root)."""

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
    """`is_dropped` is True when children must give up root to become this account."""

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
        """Start a command as this account, with no shell, input, terminal or descriptor of ours."""
        identity: dict[str, Any] = {}
        if self.is_dropped:
            # subprocess does setgroups, setgid and setuid in C between fork and exec: safe
            # beside threads, where a Python preexec_fn isn't.
            identity = {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            # A pipe would keep our caller waiting for as long as the server lives.
            stdout=output,
            stderr=output,
            # Our own environment may hold passwords of other sources, and PG* variables.
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **(environment or {})},
            cwd="/",  # The caller's folder may be closed to this account.
            umask=0o077,
            close_fds=True,
            start_new_session=new_session,  # Ctrl-C is for the command, not for the server.
            **identity,
        )

    def take_over(self, path: Path) -> None:
        """Make the path this account's own."""
        if self.is_dropped:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Whether this account may traverse the folder and everything above it."""
        return all(self._allows(level, 0o1) for level in (folder, *folder.parents))

    def can_use(self, folder: Path) -> bool:
        """Whether this account can reach the folder and read everything in it."""
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
    """The account for the server; raises StepFailed when root has no `nobody` to become."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), is_dropped=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise StepFailed("embedded Postgres: it can't run as root, and this system has no user nobody") from None
    return Account(nobody.pw_uid, nobody.pw_gid, is_dropped=True)
