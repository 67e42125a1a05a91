"""Processes that import their libraries while earlier steps run, so that they are ready for their turn.

A worker ends with the command that started it, however that ends. Ctrl-C reaches only the command, which then ends it.
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
from pipeline.run.relay import Relay
from pipeline.run.reporter import Reporter

# How long interrupted work may take to close its resources.
_GRACE_SECONDS = 0.9
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG, see prctl(2)


class WorkerEnded(StepFailed):
    """A worker ended or was killed before it answered."""


class Worker:
    """A process that calls `prepare` at once and passes its result to all work as the first argument.

    Start it in the main thread, because Linux ends it with the thread that started it. Functions must be defined in
    modules. Raises StepFailed when it can't be started.
    """

    def __init__(self, name: str, prepare: Callable[..., Any], *args: Any):
        self._name = name
        self._is_busy = self._is_interrupted = False
        self._connection, theirs = Pipe()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process may write)
        code = f"from pipeline.run.worker import serve; serve({theirs.fileno()}, {os.getpid()})"
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
        with suppress(OSError):  # the first call reports a worker that is gone
            self._connection.send((prepare, args))

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.interrupt()
        if self._is_interrupted:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
        # Killing is safe: an idle worker holds no resources.
        self._process.kill()
        self._process.wait()
        self._connection.close()
        self._errors.close()

    def interrupt(self) -> None:
        """Interrupt the process if it works; the end of the block waits for its end."""
        if self._is_busy and not self._is_interrupted:
            self._is_interrupted = True
            self._process.send_signal(signal.SIGINT)

    def call(self, work: Callable[..., Any], *args: Any, reporter: Reporter) -> Any:
        """Return `work(prepared, *args, reporter=…)`, or raise the error of it or of `prepare`.

        The work's reporter calls are forwarded to this one. Raises WorkerEnded when the process has ended.
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
        """Send a message, if there is one, and return the next one received."""
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
    """Run a worker: prepare, then do the work that comes over the connection, until the parent is gone."""
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
        with sending:  # dbt reports nodes from its own threads
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
    # Some libraries treat an interrupt as an error, and wait for their threads before the process can end.
    os._exit(130)


def _attempt(work: Callable[..., Any], *args: Any, **more: Any) -> tuple[Any, Exception | None]:
    """Return the work's value, or an exception that can be sent."""
    try:
        return work(*args, **more), None
    except KeyboardInterrupt:
        os._exit(130)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301
        except Exception:  # some exceptions can't be rebuilt from the arguments that they keep
            return None, StepFailed(f"{type(error).__name__}: {one_line(error)}")
        return None, error


def _listen(connection: Connection, messages: SimpleQueue[bytes]) -> None:
    while True:
        try:
            messages.put(connection.recv_bytes())
        except (EOFError, OSError):  # the parent is gone
            os._exit(1)


def _end_with(parent: int) -> None:
    """Let the kernel, if it can, kill this process at once when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
