"""Start, find and stop one cluster's server process; the caller holds the start lock."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingestion.embedded.account import Account
from ingestion.embedded.cluster import open_log, read_last_error
from ingestion.errors import StepFailed

START_SECONDS = 120  # Recovery after a kill during a large load takes long.
STOP_SECONDS = 60
POLL_SECONDS = 0.005
# Small but durable: fsync and full_page_writes stay on, so a power cut loses no commit.
SETTINGS = {
    "max_connections": "40",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "jit": "off",
    "io_method": "sync",  # Saves starting and stopping three worker processes.
    # Without replicas, a table filled in the transaction that created it skips the log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
# Processes that we started and must reap: a dead child keeps its process id until then.
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Postmaster:
    """A cluster folder, the server's log, and the account that the server runs as."""

    cluster: Path
    log: Path
    account: Account

    def start(self, binaries: Path, port: int) -> None:
        """Start and wait until it accepts connections; raises StepFailed with the log's last error."""
        # Not with pg_ctl: it passes the cluster's path to a shell, and a home may have any name.
        command: list[str | Path] = [binaries / "postgres", "-D", self.cluster]
        command += ["-h", "127.0.0.1", "-p", str(port), "-k", ""]
        command += [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        deadline = time.monotonic() + START_SECONDS
        while not self._try_start(command, deadline):
            # After a kill -9 of the postmaster, its children need a moment to end.
            in_use = b"pre-existing shared memory block" in self.log.read_bytes()
            if not in_use or time.monotonic() > deadline:
                raise StepFailed(f"embedded Postgres can't start: {read_last_error(self.log)}")
            time.sleep(0.1)

    def wait_until_settled(self) -> None:
        """Wait while a server that a killed command left is still starting or stopping."""
        deadline = time.monotonic() + START_SECONDS
        while self.find_process() is not None and not self.is_ready():
            if time.monotonic() > deadline:
                raise StepFailed(f"embedded Postgres isn't ready after {START_SECONDS} s")
            time.sleep(POLL_SECONDS)

    def stop(self) -> bool:
        """Close its connections and shut it down; return False when it wasn't running."""
        process = self.find_process()
        if process is None:
            return False
        for sent in (signal.SIGINT, signal.SIGQUIT):  # A fast shutdown, then an immediate one.
            with suppress(ProcessLookupError):
                os.kill(process, sent)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                if self.find_process() is None:
                    return True
                time.sleep(POLL_SECONDS)
        raise StepFailed(f"embedded Postgres (process {process}) doesn't stop")

    def is_ready(self) -> bool:
        """Return whether the running server's lock file marks it as ready."""
        # Read once: a starting server replaces a dead one's file, which may say that it is ready.
        lines = self._read_lock_file()
        return len(lines) > 7 and lines[7].strip() == "ready" and self._find_process(lines) is not None

    def find_process(self) -> int | None:
        """Return the postmaster's process id, never that of a process that has reused it."""
        return self._find_process(self._read_lock_file())

    def _find_process(self, lines: list[str]) -> int | None:
        _children[:] = [child for child in _children if child.poll() is None]
        process = _process_in(lines)
        return process if process is not None and self._is_postmaster(process) else None

    def _try_start(self, command: list[str | Path], deadline: float) -> bool:
        environment = {}
        stale = _process_in(self._read_lock_file())
        if stale is not None:
            # As pg_ctl does: the process id in postmaster.pid is no other postmaster, because after a reboot it may
            # be any process of ours. Keep the file: Postgres needs it to check, by shared memory, that no backend
            # is left on the cluster.
            environment["PG_GRANDPARENT_PID"] = str(stale)
        with open_log(self.log) as output:
            child = self.account.spawn(command, output, environment, new_session=True)
        _children.append(child)
        try:
            while child.poll() is None:
                if self.is_ready():
                    return True
                if time.monotonic() > deadline:
                    raise StepFailed(f"embedded Postgres isn't ready after {START_SECONDS} s")
                time.sleep(POLL_SECONDS)
        except BaseException:
            child.send_signal(signal.SIGQUIT)
            raise
        return False

    def _read_lock_file(self) -> list[str]:
        try:
            return (self.cluster / "postmaster.pid").read_text(errors="replace", encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _is_postmaster(self, process: int) -> bool:
        # Every account can read it, unlike the process's folder; it is empty once the process is dead.
        arguments = Path(f"/proc/{process}/cmdline")
        if Path("/proc/self").exists():
            with suppress(OSError):
                return os.fsencode(self.cluster) in arguments.read_bytes().split(b"\0")
            return False
        listed = subprocess.run(  # macOS
            ["ps", "-ww", "-o", "args=", "-p", str(process)], capture_output=True, check=False
        )
        return b"-D " + os.fsencode(self.cluster) in listed.stdout


def _process_in(lines: list[str]) -> int | None:
    return int(lines[0]) if lines and lines[0].isdigit() else None
