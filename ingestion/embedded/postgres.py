"""The embedded server of one home: the first command starts it, the last one stops it.

Each command that uses the server holds a shared lock on `users.lock`; starting and stopping hold `start.lock`. The
kernel frees both when a command is killed, so the next command to end still stops the server, unless
`tradewinds sources up` has created the mark `keep`.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH
from functools import cached_property
from pathlib import Path

import psycopg

from ingestion.embedded import access, folders, ports
from ingestion.embedded.account import Account, find_account
from ingestion.embedded.binaries import find_binaries
from ingestion.embedded.cluster import create_cluster
from ingestion.embedded.locks import hold_alone, open_lock, release, try_lock
from ingestion.embedded.postmaster import Postmaster
from ingestion.errors import StepFailed
from ingestion.redact import one_line

PORT_TRIES = 5


class EmbeddedPostgres:
    """The server of `home` (TRADEWINDS_HOME); creating the object has no effects."""

    def __init__(self, home: Path) -> None:
        self.home = Path(home).resolve()
        self.state = folders.find_state_folder(self.home)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Start the server or use the running one, and yield its URL; the last user stops it."""
        with self._lock():
            users = open_lock(self.state / "users.lock")
            try:
                try_lock(users, LOCK_SH)  # Exclusive locks are taken only under our start lock.
                self._ensure_started()
            except BaseException:
                release(users)
                raise
        try:
            yield self.url("postgres")
        finally:
            self._leave(users)

    def up(self) -> str:
        """Start the server, keep it running after this command, and return its URL."""
        with self._lock():
            self._ensure_started()
            (self.state / "keep").touch()
        return self.url("postgres")

    def down(self) -> bool:
        """Stop the server; return False when it wasn't running. Raises StepFailed while a command uses it."""
        if not self.state.is_dir():
            return False
        with self._lock():
            (self.state / "keep").unlink(missing_ok=True)
            self._refuse_while_used()
            return self._postmaster.stop()

    def remove(self) -> None:
        """Stop the server and delete all of its files, including databases."""
        if not self.state.is_dir():
            return
        with self._lock():
            self._refuse_while_used()
            self._postmaster.stop()
            if self.place != self.state:
                shutil.rmtree(self.place)
            shutil.rmtree(self.state)

    def is_running(self) -> bool:
        """Return whether the server accepts connections now."""
        with self._explain():
            return self.state.is_dir() and self._postmaster.is_ready()

    def url(self, database: str) -> str:
        """Return the URL of a database on the server; it holds the password, so never log it."""
        with self._explain():
            return access.build_url(self.state, database)

    def ensure_database(self, name: str) -> bool:
        """Create the database if it is missing; return whether this call created it."""
        try:
            return access.create_database(self.url("postgres"), name)
        except psycopg.Error as error:
            raise StepFailed(f"embedded Postgres: database {name}: {one_line(error)}") from None

    @property
    def place(self) -> Path:
        """The folder that holds the cluster: `state`, or one in a temp folder (see folders)."""
        return folders.find_place(self.home, self._account)

    @cached_property
    def _account(self) -> Account:
        return find_account()

    @property
    def _postmaster(self) -> Postmaster:
        return Postmaster(self.place / "cluster", self.state / "server.log", self._account)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with self._explain():
            folders.prepare(self.home, self._account)
            with hold_alone(self.state / "start.lock"):
                yield

    @contextmanager
    def _explain(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = error.filename or self.state
            raise StepFailed(f"embedded Postgres: {where}: {error.strerror}") from None

    def _ensure_started(self) -> None:
        postmaster = self._postmaster
        postmaster.wait_until_settled()
        self._remove_predecessor(postmaster)
        if postmaster.is_ready():
            return
        self._remove_orphans()
        binaries = find_binaries(self.place, self._account)
        if not postmaster.cluster.exists():
            password = access.ensure_password(self.state)
            create_cluster(postmaster.cluster, postmaster.log, self._account, binaries, password)
        for tries_left in reversed(range(PORT_TRIES)):
            port = ports.choose(self.state)
            try:
                postmaster.start(binaries, port)
                break
            except StepFailed:
                # Another process may have taken the port since we chose it.
                if tries_left == 0 or ports.is_free(port):
                    raise

    def _leave(self, users: int) -> None:
        with self._lock():
            try:
                is_last = try_lock(users, LOCK_EX)
                if is_last and not (self.state / "keep").exists():
                    self._postmaster.stop()
            finally:
                # Still under the start lock: when two commands end at once, one must be the last.
                release(users)

    def _refuse_while_used(self) -> None:
        users = open_lock(self.state / "users.lock")
        try:
            if not try_lock(users, LOCK_EX):
                raise StepFailed("embedded Postgres is in use by another command; it stops when that one ends")
        finally:
            release(users)

    def _remove_predecessor(self, postmaster: Postmaster) -> None:
        """Remove the temp folder's cluster of a home that was deleted and recreated at the same path."""
        is_known = any((self.state / name).exists() for name in ("password", "port"))
        if self.place != self.state and postmaster.cluster.exists() and not is_known:
            postmaster.stop()
            shutil.rmtree(postmaster.cluster)

    def _remove_orphans(self) -> None:
        for folder in folders.find_orphans():
            Postmaster(folder / "cluster", self.state / "server.log", self._account).stop()
            shutil.rmtree(folder, ignore_errors=True)
