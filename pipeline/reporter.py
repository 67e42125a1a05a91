"""What a person sees while a step works: a live line a table on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_PLAIN_WIDTH = 250


class Reporter:
    """Prints one line for each finished thing, and shows the unfinished one meanwhile where there is a terminal."""

    def __init__(self, console: Console | None = None):
        self.console = console or Console(highlight=False, soft_wrap=True)
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

    @contextmanager
    def tables(self, step: str, source: str) -> Iterator["TableLines"]:
        """Show the tables of a source while they are read."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        # Only a terminal gets the moving line; elsewhere `disable` leaves the finished lines alone.
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            yield TableLines(self, progress, step, source)


class TableLines:
    """Takes the extract's row counts: moves the live line, then prints the finished one."""

    def __init__(self, reporter: Reporter, progress: Progress, step: str, source: str):
        self._reporter = reporter
        self._progress = progress
        self._step = step
        self._source = source
        self._live = progress.add_task("", total=None)
        self._table: str | None = None
        self._started = 0.0

    def __call__(self, table: str, rows: int, is_complete: bool) -> None:
        """Note that so many rows of a table have been read."""
        if table != self._table:
            self._table, self._started = table, time.monotonic()
        name = f"{self._source}.{table}"
        self._progress.update(self._live, description=f"{self._step} {name} {rows:,} rows")
        if is_complete:
            self._reporter.line(self._step, name, rows, time.monotonic() - self._started)
