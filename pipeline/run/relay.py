"""Reporters for work in other processes or threads, whose output is printed in order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Protocol

from rich.progress import Progress

from pipeline.run.reporter import Reporter, TableLines

# A reporter's method and its arguments.
Told = tuple[str, tuple[Any, ...], dict[str, Any]]


class Hearing(Protocol):
    """A receiver of a Relay's calls."""

    def hear(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Receive one call of a reporter's method."""


class Relay:
    """A reporter that prints nothing and forwards its calls."""

    def __init__(self, send: Callable[[str, tuple[Any, ...], dict[str, Any]], None]):
        self._send = send

    def line(self, *what: Any) -> None:
        self._send("line", what, {})

    def say(self, text: str) -> None:
        self._send("say", (text,), {})

    def warn(self, text: str) -> None:
        self._send("warn", (text,), {})

    def tell(self, **what: Any) -> None:
        self._send("tell", (), what)

    def show(self, text: str) -> None:
        """Show the current work on the progress line only."""
        self._send("show", (text,), {})

    @contextmanager
    def tables(self, step: str, source: str) -> Iterator[TableLines]:
        yield TableLines(self.line, self.show, step, source)


class InTurn:
    """Print the output of concurrent work in the order of names, whichever ends first."""

    def __init__(self, reporter: Reporter, names: list[str], progress: Progress):
        self._reporter, self._progress = reporter, progress
        self._told: dict[str, list[Told]] = {name: [] for name in names}
        self._ended: set[str] = set()
        self._lock = Lock()

    @contextmanager
    def hearing(self, name: str) -> Iterator["Turn"]:
        """Yield the receiver for the work of this name, which ends with the block."""
        task = self._progress.add_task(name, total=None)
        try:
            yield Turn(self, name, lambda text: self._progress.update(task, description=text))
        finally:
            self._progress.remove_task(task)
            with self._lock:
                self._ended.add(name)
                self._print_due()

    def take(self, name: str, told: Told) -> None:
        """Print the call, or keep it until all earlier work has ended."""
        with self._lock:
            self._told[name].append(told)
            self._print_due()

    def _print_due(self) -> None:
        for name, told in self._told.items():
            while told:
                self._reporter.hear(*told.pop(0))
            if name not in self._ended:
                return


class Turn:
    """The receiver for one of several pieces of work."""

    def __init__(self, turns: InTurn, name: str, show: Callable[[str], None]):
        self._turns, self._name, self._show = turns, name, show

    def hear(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        if name == "show":
            self._show(*args)
        else:
            self._turns.take(self._name, (name, args, named))
