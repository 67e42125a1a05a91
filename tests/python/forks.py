"""The `tradewinds` command, and dbt, forked from a process that has everything ready (warm.py).

Each command still is a process of its own, with its own environment, working folder, pipes and signals, and runs what
the console script runs. `test_command_line` starts the script itself.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from ingestion.settings import PROJECT
from tests.python.warm import PID_BYTES

# Where the process that has the libraries listens, for the processes of pytest-xdist.
_LIBRARIES = "PYTEST_LIBRARIES"


class Process:
    """A forked command: what tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, ended: socket.socket, stdin: TextIO, stdout: TextIO, stderr: TextIO):
        self.pid, self.stdin, self.stdout, self.stderr, self.returncode = pid, stdin, stdout, stderr, None
        self._ended = ended

    def poll(self) -> int | None:
        """Return the exit code, minus the signal of a killed process, None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raises subprocess.TimeoutExpired when the command doesn't end in time."""
        if self._look(timeout) is None:
            raise subprocess.TimeoutExpired("tradewinds", timeout)
        return self.returncode

    def communicate(self, typed: str = "", timeout: float | None = None) -> tuple[str, str]:
        """Type a text, read both outputs to their end and wait, like `subprocess.Popen.communicate`."""
        read = ["", ""]

        def drain(index: int, stream: TextIO) -> None:
            read[index] = stream.read()

        readers = [
            threading.Thread(target=drain, args=each, daemon=True) for each in enumerate((self.stdout, self.stderr))
        ]
        for reader in readers:
            reader.start()
        with suppress(BrokenPipeError), self.stdin:
            self.stdin.write(typed)
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


@dataclass(frozen=True)
class Forks:
    """A running server of forks, which anybody may ask who knows the path of its socket."""

    address: Path

    def start(
        self, words: list[str], environment: dict[str, str], *, folder: Path = PROJECT, program: str = "tradewinds"
    ) -> Process:
        """Fork the command with these words and this environment, in a folder; its input, too, is a pipe."""
        named = {"program": program, "words": list(map(str, words)), "folder": str(folder)}
        (typed, to_type), (output, printed), (errors, complained) = os.pipe(), os.pipe(), os.pipe()
        asked = _ask(str(self.address), named | {"environment": environment}, typed, printed, complained)
        for end in (typed, printed, complained):
            os.close(end)
        pid = int(asked.recv(PID_BYTES, socket.MSG_WAITALL))
        return Process(pid, asked, os.fdopen(to_type, "w", encoding="utf-8"), _reader(output), _reader(errors))

    def write_stand_in(self, path: Path) -> None:
        """Write a program that stands for the one of its name: it hands words, environment and pipes over."""
        path.write_text(
            _STAND_IN.format(python=sys.executable, address=str(self.address), pid_bytes=PID_BYTES), encoding="utf-8"
        )
        path.chmod(0o755)


def _reader(end: int) -> TextIO:
    return os.fdopen(end, encoding="utf-8")


_STAND_IN = """#!{python} -IS
import json, os, socket, sys
asked = socket.socket(socket.AF_UNIX)
asked.connect({address!r})
socket.send_fds(asked, [b"f"], [0, 1, 2])
program = os.path.basename(sys.argv[0])
request = dict(program=program, words=sys.argv[1:], environment=dict(os.environ), folder=os.getcwd())
asked.sendall(json.dumps(request).encode() + b"\\n")
asked.recv({pid_bytes}, socket.MSG_WAITALL)
sys.exit(os.waitstatus_to_exitcode(int(asked.recv(64))))
"""


def _ask(address: str, request: dict[str, Any], *ends: int) -> socket.socket:
    """Send a request with these ends of pipes or sockets, and return the connection."""
    asked = socket.socket(socket.AF_UNIX)
    asked.connect(address)
    socket.send_fds(asked, [b"f"], ends)
    asked.sendall(json.dumps(request).encode() + b"\n")
    return asked


@contextmanager
def _listening() -> Iterator[tuple[Path, socket.socket]]:
    with TemporaryDirectory(prefix="forks") as folder, socket.socket(socket.AF_UNIX) as listener:
        address = Path(folder) / "socket"
        listener.bind(str(address))
        listener.listen()
        yield address, listener


@contextmanager
def keeping_libraries(environment: dict[str, str]) -> Iterator[None]:
    """Keep the process up that servers of forks are forked from; it ends with this process, whatever ends that."""
    with _listening() as (address, listener):
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.python.warm", str(listener.fileno())],
            env=environment | {"PYTHONUTF8": "1"},  # as a command starts itself again where the locale is another
            cwd=PROJECT,
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
        )
        os.environ[_LIBRARIES] = str(address)
        try:
            yield
        finally:
            keeper.stdin.close()
            keeper.wait(60)


@contextmanager
def serving_forks(environment: dict[str, str], project: Path = PROJECT) -> Iterator[Forks]:
    """Keep a server of a project's forks up; it ends with this process, whatever ends that."""
    request = {
        "is_copy": project != PROJECT,
        "environment": environment | {"PYTHONUTF8": "1"},
        "folder": str(project),
    }
    with _listening() as (address, listener):
        lived, life = os.pipe()
        asked = _ask(os.environ[_LIBRARIES], request, listener.fileno(), lived)
        os.close(lived)
        try:
            yield Forks(address)
        finally:
            os.close(life)
            with asked:
                asked.recv(1)  # ends when the server does
