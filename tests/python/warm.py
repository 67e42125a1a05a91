"""The `tradewinds` command, and dbt, forked from a process that has imported everything and parsed the project once.

Imports, and what dbt derives from its classes and macros at a first parse, cost more than most tests.

Each command still is a process of its own, with its own environment, working folder, pipes and signals, and runs what
the console script runs. `test_command_line` starts the script itself.
"""

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import resource_tracker
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO
from unittest.mock import patch

from fsspec.config import conf, set_conf_env

from ingestion.settings import PROJECT, use_project_settings

_PID_BYTES = 10
_PROGRAMS = {"tradewinds": ("pipeline.cli", "main"), "dbt": ("dbt.cli.main", "cli")}
_IMPORTED = (
    "pipeline.cli",
    "pipeline.run.steps",
    "pipeline.run.day",
    "pipeline.cli.summary",
    "pipeline.checks",
    "pipeline.checks.engine",
    "ingestion.warehouse.dlt_tables",
    "adbc_driver_postgresql.dbapi",
    "dbt.cli.main",
    "dbt.adapters.duckdb",
    "dbt.adapters.postgres",
    "dlt",
    "great_expectations",
    "people_api.backups",
    "people_api.client",
    "people_api.importing",
    "people_api.rejected",
    "people_api.sample",
    "people_api.serving",
    "alembic.command",
    "fsspec.implementations.local",
    "s3fs",
    "pipeline.cli.asking",
    "pipeline.boards",
    "pipeline.people",
    "pipeline.publishing",
    "pipeline.run.rejects",
    "pipeline.site",
    "pipeline.ledger.status",
    "pipeline.run.verify",
)


# What begins with dbt's parse, and dbt's modules that parse by Rust.
_BUILDING = {"run", "build", "backfill", "docs", "verify"}
_EXTRACTING = ("parser.models", "parser.unit_tests", "clients.jinja_static")


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
        request = json.dumps(named | {"environment": environment}).encode() + b"\n"
        (typed, to_type), (output, printed), (errors, complained) = os.pipe(), os.pipe(), os.pipe()
        asked = socket.socket(socket.AF_UNIX)
        asked.connect(str(self.address))
        socket.send_fds(asked, [b"f"], [typed, printed, complained])
        asked.sendall(request)
        for end in (typed, printed, complained):
            os.close(end)
        pid = int(asked.recv(_PID_BYTES, socket.MSG_WAITALL))
        return Process(pid, asked, os.fdopen(to_type, "w", encoding="utf-8"), _reader(output), _reader(errors))

    def write_stand_in(self, path: Path) -> None:
        """Write a program that stands for the one of its name: it hands words, environment and pipes over."""
        path.write_text(
            _STAND_IN.format(python=sys.executable, address=str(self.address), pid_bytes=_PID_BYTES), encoding="utf-8"
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


@contextmanager
def serving_forks(environment: dict[str, str], project: Path = PROJECT) -> Iterator[Forks]:
    """Keep a server of a project's forks up; it ends with this process, whatever ends that."""
    with TemporaryDirectory(prefix="forks") as folder:
        address = Path(folder) / "socket"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(address))
        listener.listen()
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno())],
            env=environment,
            cwd=project,
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
        )
        listener.close()
        try:
            yield Forks(address)
        finally:
            server.stdin.close()
            server.wait(60)


def _serve(listener: socket.socket) -> None:
    for module in _IMPORTED:
        import_module(module)
    is_warm = False
    gc.freeze()  # the forks' collections needn't walk through what they share
    # A child that ends wakes the loop, which hands its status over.
    waking, woken = socket.socketpair()
    waking.setblocking(False)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([sys.stdin, listener, woken], [], [])
        if sys.stdin in ready:
            os._exit(0)  # at once: to take all that was imported down again takes a while
        if woken in ready:
            woken.recv(4096)
            _hand_over(running)
        if listener in ready:
            asked, _ = listener.accept()
            _, given, _, _ = socket.recv_fds(asked, 1, 3)
            with asked.makefile("rb") as lines:
                request = json.loads(lines.readline())
            if not is_warm and (request["program"] == "dbt" or _BUILDING.intersection(request["words"])):
                is_warm = True
                _parse_once()
                gc.freeze()
            if (pid := os.fork()) == 0:
                _become(given, **request)
            asked.sendall(f"{pid:<{_PID_BYTES}}".encode())
            running[pid] = asked
            for number in given:
                os.close(number)


def _parse_once() -> None:
    """Parse the project and pack the result, so that forks begin with all that dbt derives from classes and macros.

    A process of its own does what dbt does by Rust: forks would wait for Rust's threads, which they don't have.
    """
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumaro_encoder, extended_mashumuro_decoder
    from dbt_extractor import py_extract_from_source

    parsers = [f"dbt.{module}.py_extract_from_source" for module in _EXTRACTING]
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1) as apart, ExitStack() as replaced:
        replaced.enter_context(patch.dict(os.environ, TRADEWINDS_HOME=folder))
        for parser in parsers:
            replaced.enter_context(patch(parser, lambda text: apart.submit(py_extract_from_source, text).result()))
        silent = ["--log-level", "none", "--log-level-file", "none", "--log-path", folder]
        # Whatever is wrong with the project is the forks' to say.
        words = ["parse", "--no-partial-parse", "--no-write-json", "--target-path", folder]
        if manifest := dbtRunner().invoke([*silent, *words]).result:
            packed = manifest.to_msgpack(extended_mashumaro_encoder)
            Manifest.from_msgpack(packed, decoder=extended_mashumuro_decoder)


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


def _become(given: list[int], program: str, words: list[str], environment: dict[str, str], folder: str) -> None:
    """Be the program; never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, standard in zip(given, (0, 1, 2), strict=True):
            os.dup2(number, standard)
        os.closerange(3, 256)
        resource_tracker._resource_tracker.__init__()  # its pipe is closed
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = [str(Path(sys.executable).with_name(program)), *words]
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", closefd=False)
        use_project_settings()
        set_conf_env(conf)  # fsspec reads its variables once, when it is imported
        module, name = _PROGRAMS[program]
        getattr(import_module(module), name)()
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
