"""The `tradewinds` command, forked from a process that has imported everything: imports cost more than most tests.

Each command still is a process of its own, with its own environment, working folder, pipes and signals, and runs what
the console script runs. `test_command_line` starts the script itself.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TextIO

from ingestion.settings import PROJECT, use_project_settings

_LENGTH_BYTES = 4
_IMPORTED = (
    "pipeline.cli",
    "pipeline.steps",
    "pipeline.day",
    "pipeline.summary",
    "pipeline.checks",
    "pipeline.checks.engine",
    "ingestion.warehouse.dlt_tables",
    "adbc_driver_postgresql.dbapi",
    "dbt.cli.main",
    "dbt.adapters.duckdb",
    "dbt.adapters.postgres",
    "dlt",
    "great_expectations",
)


class Process:
    """A forked command: what tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, ended: socket.socket, stdout: TextIO, stderr: TextIO):
        self.pid, self.stdout, self.stderr, self.returncode = pid, stdout, stderr, None
        self._ended = ended

    def poll(self) -> int | None:
        """Return the exit code, minus the signal of a killed process, None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raises subprocess.TimeoutExpired when the command doesn't end in time."""
        if self._look(timeout) is None:
            raise subprocess.TimeoutExpired("tradewinds", timeout)
        return self.returncode

    def communicate(self, _input: None = None, timeout: float | None = None) -> tuple[str, str]:
        """Read both outputs to their end and wait, like `subprocess.Popen.communicate`."""
        read = ["", ""]

        def drain(index: int, stream: TextIO) -> None:
            read[index] = stream.read()

        readers = [
            threading.Thread(target=drain, args=each, daemon=True) for each in enumerate((self.stdout, self.stderr))
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join(timeout)
        return read[0], read[1]

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._ended.settimeout(timeout)
            try:
                if said := self._ended.recv(64):
                    self.returncode = os.waitstatus_to_exitcode(int(said))
            except (TimeoutError, BlockingIOError):
                pass
        return self.returncode


class Forks:
    """A running server of forks; `start` is called by one test at a time."""

    def __init__(self, channel: socket.socket):
        self._channel = channel

    def start(self, words: list[str], environment: dict[str, str]) -> Process:
        """Fork the command with these words and this environment, in the project's folder."""
        ours, theirs = socket.socketpair()
        output, errors = os.pipe(), os.pipe()
        request = json.dumps({"words": words, "environment": environment}).encode()
        given = [theirs.fileno(), output[1], errors[1]]
        self._channel.sendall(len(request).to_bytes(_LENGTH_BYTES, "big"))
        socket.send_fds(self._channel, [b"f"], given)
        self._channel.sendall(request)
        theirs.close()
        for end in (output[1], errors[1]):
            os.close(end)
        pid = int(ours.recv(64))
        return Process(pid, ours, os.fdopen(output[0], encoding="utf-8"), os.fdopen(errors[0], encoding="utf-8"))


@contextmanager
def serving_forks(environment: dict[str, str]) -> Iterator[Forks]:
    """Keep a server of forks up; it ends with this process, whatever ends that."""
    ours, theirs = socket.socketpair()
    server = subprocess.Popen(
        [sys.executable, "-m", __name__, str(theirs.fileno())],
        env=environment,
        cwd=PROJECT,
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
    )
    theirs.close()
    try:
        yield Forks(ours)
    finally:
        ours.close()
        server.wait(60)


def _serve(channel: socket.socket) -> None:
    for module in _IMPORTED:
        import_module(module)
    # A child that ends wakes the loop, which hands its status over.
    waking, woken = socket.socketpair()
    waking.setblocking(False)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([channel, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _hand_over(running)
        if channel in ready:
            length = channel.recv(_LENGTH_BYTES)
            if not length:
                return
            _, given, _, _ = socket.recv_fds(channel, 1, 3)
            text = b""
            while len(text) < int.from_bytes(length, "big"):
                text += channel.recv(2**20)
            request = json.loads(text)
            if (pid := os.fork()) == 0:
                channel.close()
                _become(request["words"], request["environment"], given[1], given[2])
            ended = socket.socket(fileno=given[0])
            ended.sendall(str(pid).encode())
            running[pid] = ended
            for number in given[1:]:
                os.close(number)


def _hand_over(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with running.pop(pid) as ended:
            try:
                ended.sendall(str(status).encode())
            except OSError:
                continue  # the test has gone


def _become(words: list[str], environment: dict[str, str], output: int, errors: int) -> None:
    """Be the command; never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.closerange(3, 256)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = [str(Path(sys.executable).with_name("tradewinds")), *words]
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", closefd=False)
        from pipeline.cli import main

        use_project_settings()
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        # As an interpreter that ends: what libraries have registered is run, buffers are written.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
