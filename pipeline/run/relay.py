"""Reporters for work in other processes or threads, whose output is printed in order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from rich.progress import Progress

from pipeline.run.reporter import Reporter

# A reporter's method and its arguments.
Told = tuple[str, tuple[Any, ...], dict[str, Any]]


def _forwarded(name: str) -> Any:
    def forward(relay: "Relay", *args: Any, **named: Any) -> None:
        relay.hear(name, args, named)

    return forward


class Relay(Reporter):
    """A reporter that prints nothing and forwards its calls."""

    line, say, warn, tell, show = map(_forwarded, ("line", "say", "warn", "tell", "show"))

    def __init__(self, send: Callable[[str, tuple[Any, ...], dict[str, Any]], None]):
        super().__init__(form="quiet")
        self._send = send

    def hear(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Forward a call of another reporter."""
        self._send(name, args, named)


class InTurn:
    """Print the output of concurrent work in the order of names, whichever ends first."""

    def __init__(self, reporter: Reporter, names: list[str], progress: Progress):
        self._reporter, self._progress = reporter, progress
        self._told: dict[str, list[Told]] = {name: [] for name in names}
        self._ended: set[str] = set()
        self._lock = Lock()

    @contextmanager
    def hearing(self, name: str) -> Iterator[Relay]:
        """Yield the reporter for the work of this name, which ends with the block.

        A call is printed at once, or kept until all earlier work has ended.
        """
        task = self._progress.add_task(name, total=None)

        def take(*told: Any) -> None:
            if told[0] == "show":
                self._progress.update(task, description=told[1][0])
                return
            with self._lock:
                self._told[name].append(told)
                self._print_due()

        try:
            yield Relay(take)
        finally:
            self._progress.remove_task(task)
            with self._lock:
                self._ended.add(name)
                self._print_due()

    def _print_due(self) -> None:
        for name, told in self._told.items():
            while told:
                self._reporter.hear(*told.pop(0))
            if name not in self._ended:
                return
