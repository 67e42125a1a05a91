"""Processes that get ready while others are at work: what they need is imported when their turn comes.

One ends with the command that started it, whatever ends that. Ctrl-C is for the command alone, which then ends it.
"""

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from ingestion.errors import StepFailed
from ingestion.redact import known_secrets, one_line, register_secret
from pipeline.relay import Hearing, Relay

# How long interrupted work may take to close what it has open.
_GRACE_SECONDS = 0.9
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG, see prctl(2)


class WorkerEnded(StepFailed):
    """A worker ended by itself, or was ended by others, before it had answered."""


class Here:
    """Does in this process what a Worker does in its own."""

    def __init__(self, prepare: Callable[[], Any]):
        self._prepare = prepare

    def call(self, work: Callable[..., Any], *args: Any, reporter: Hearing) -> Any:
        return work(self._prepare(), *args, reporter=reporter)


class Worker:
    """A process in which `prepare` is called at once; what it returned is the first argument of all work.

    Start it in the main thread, with whose end Linux ends it; functions are those of modules. Raises StepFailed when it
    can't be started.
    """

    def __init__(self, name: str, prepare: Callable[..., Any], *args: Any):
        self._name = name
        self._is_busy = False
        self._connection, theirs = Pipe()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process may write)
        code = f"from pipeline.worker import serve; serve({theirs.fileno()}, {os.getpid()})"
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                start_new_session=True,
            )
        except OSError as error:
            raise StepFailed(f"no process can be started for {name}: {one_line(error)}") from error
        finally:
            theirs.close()
        with suppress(OSError):  # who is gone already is missed by the first call
            self._connection.send((prepare, args))

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_busy:
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
        # Whoever has nothing to do holds nothing.
        self._process.kill()
        self._process.wait()
        self._connection.close()
        self._errors.close()

    def call(self, work: Callable[..., Any], *args: Any, reporter: Hearing) -> Any:
        """Return `work(prepared, *args, reporter=…)`, or raise what it or `prepare` raised.

        What the work tells its reporter is told this one meanwhile. Raises WorkerEnded when the process has ended.
        """
        self._is_busy = True
        answer = self._exchange((work, args, known_secrets()))
        while answer[0] == "told":
            reporter.hear(*answer[1:])
            answer = self._exchange()
        self._is_busy = False
        ended, value = answer
        if ended == "raised":
            raise value
        return value

    def _exchange(self, message: Any = None) -> Any:
        """Send what there is to send, and return what comes next."""
        try:
            if message is not None:
                self._connection.send(message)
            return self._connection.recv()
        except (EOFError, OSError):
            raise WorkerEnded(self._describe_end()) from None

    def _describe_end(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        said = f": {one_line(Exception(words[-1]))}" if words else ""
        return f"the process for {self._name} ended before its work was done ({ended}){said}"


def serve(descriptor: int, parent: int) -> None:
    """Be a worker: get ready, then do what comes over the connection, until the parent is gone."""
    _end_with(parent)
    interrupts: list[int] = []

    def interrupt(number: int, _: Any) -> None:
        interrupts.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    connection, sending = Connection(descriptor), Lock()
    messages: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(connection, messages), daemon=True).start()

    def send(*what: Any) -> None:
        with sending:  # dbt tells of its nodes in threads of its own
            connection.send(what)

    reporter = Relay(lambda *told: send("told", *told))
    prepare, args = pickle.loads(messages.get())  # noqa: S301 (the parent's)
    prepared, failure = _attempt(prepare, *args)
    while not interrupts:
        work, args, secrets = pickle.loads(messages.get())  # noqa: S301
        for secret in secrets:
            register_secret(secret)
        value, error = (None, failure) if failure else _attempt(work, prepared, *args, reporter=reporter)
        send(*(("raised", error) if error else ("returned", value)))
    # Some libraries take an interrupt for an error, and wait for their threads before they let a process end.
    os._exit(130)


def _attempt(work: Callable[..., Any], *args: Any, **more: Any) -> tuple[Any, Exception | None]:
    """Return what comes of the work: its value, or an exception that can be sent."""
    try:
        return work(*args, **more), None
    except KeyboardInterrupt:
        os._exit(130)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301
        except Exception:  # exceptions are made from other arguments than they keep
            return None, StepFailed(f"{type(error).__name__}: {one_line(error)}")
        return None, error


def _listen(connection: Connection, messages: SimpleQueue[bytes]) -> None:
    while True:
        try:
            messages.put(connection.recv_bytes())
        except (EOFError, OSError):  # the parent is gone, and with it whom the work was for
            os._exit(1)


def _end_with(parent: int) -> None:
    """Have the kernel end this process with its parent, where it does such a thing: at once, in the midst of all."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
