"""What a command prints while it works: lines for a person, JSON for a script, or nothing."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_PLAIN_WIDTH = 250


class Reporter:
    """Prints one line for each finished thing, and shows the unfinished one meanwhile where there is a terminal.

    As `json` it prints what `tell` is given and nothing else, as `quiet` nothing at all.
    """

    def __init__(self, console: Console | None = None, form: Literal["text", "json", "quiet"] = "text"):
        self._form = form
        self.console = console or Console(highlight=False, soft_wrap=True, quiet=form != "text")
        if not self.console.is_terminal:
            self.console.width = _PLAIN_WIDTH  # nothing wraps in a pipe or a log

    def line(self, step: str, name: str, rows: int | None, seconds: float | None, note: str = "") -> None:
        """Print a finished thing: its step, its name, its rows and its seconds."""
        counted = "" if rows is None else f"{rows:>12,} rows"
        timed = "" if seconds is None else f"{seconds:>8.2f} s"
        self.console.print(f"{step:<8} {name:<42} {counted:>17}{timed}  {note}".rstrip(), markup=False)

    def say(self, text: str) -> None:
        """Print a line as it is."""
        self.console.print(text, markup=False)

    def tell(self, **what: Any) -> None:
        """Print what a script wants to know as one JSON object, where JSON was asked for."""
        if self._form == "json":
            print(json.dumps(what, ensure_ascii=False, default=str), flush=True)

    @contextmanager
    def working(self, step: str, name: str) -> Iterator[None]:
        """Show that something is at work that may take more than a second."""
        with self.progress() as progress:
            progress.add_task(f"{step} {name}", total=None)
            yield

    def hear(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Print what another reporter was told."""
        getattr(self, name)(*args, **named)

    def progress(self) -> Progress:
        """Return the moving lines of what is at work, one a task."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        # Only a terminal gets the moving line; elsewhere `disable` leaves the finished lines alone.
        hidden = not self.console.is_terminal or self.console.quiet
        return Progress(*columns, console=self.console, transient=True, disable=hidden)


class TableLines:
    """Takes the extract's row counts: shows the unfinished table, then prints the finished one by `line`."""

    def __init__(self, line: Callable[..., None], show: Callable[[str], None], step: str, source: str):
        self._line, self._show = line, show
        self._step, self._source = step, source
        self._table: str | None = None
        self._started = 0.0

    def __call__(self, table: str, rows: int, is_complete: bool) -> None:
        """Note that so many rows of a table have been read."""
        if table != self._table:
            self._table, self._started = table, time.monotonic()
        name = f"{self._source}.{table}"
        self._show(f"{self._step} {name} {rows:,} rows")
        if is_complete:
            self._line(self._step, name, rows, time.monotonic() - self._started)
