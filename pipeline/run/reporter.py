"""Print a command's progress: lines for a person, JSON for a script, or nothing."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ingestion.redact import escape_controls

_PLAIN_WIDTH = 250


class Reporter:
    """Print one line for each finished item, and on a terminal show the unfinished one.

    `json` prints only the arguments of `tell`, `quiet` prints nothing.
    """

    def __init__(self, console: Console | None = None, form: Literal["text", "json", "quiet"] = "text"):
        self._form = form
        self.console = console or Console(highlight=False, soft_wrap=True, quiet=form != "text")
        if not self.console.is_terminal:
            self.console.width = _PLAIN_WIDTH  # nothing wraps in a pipe or a log

    def line(self, step: str, name: str, rows: int | None, seconds: float | None, note: str = "") -> None:
        """Print a finished item: step, name, rows and seconds."""
        counted = "" if rows is None else f"{rows:>12,} rows"
        timed = "" if seconds is None else f"{seconds:>8.2f} s"
        self.say(f"{step:<8} {name:<42} {counted:>17}{timed}  {note}".rstrip())

    def say(self, text: str) -> None:
        """Print a line, in which names and values of others are shown escaped."""
        self.console.print(escape_controls(text), markup=False)

    def tell(self, **what: Any) -> None:
        """Print the arguments as one JSON object if the format is JSON."""
        if self._form == "json":
            print(json.dumps(what, ensure_ascii=False, default=str), flush=True)

    @contextmanager
    def working(self, step: str, name: str) -> Iterator[None]:
        """Show work that may take more than a second."""
        with self.progress() as progress:
            progress.add_task(f"{step} {name}", total=None)
            yield

    def hear(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Print a call of another reporter."""
        getattr(self, name)(*args, **named)

    def progress(self) -> Progress:
        """Return the progress lines, one per task."""
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        # Only a terminal shows progress; elsewhere `disable` doesn't affect the finished lines.
        hidden = not self.console.is_terminal or self.console.quiet
        return Progress(*columns, console=self.console, transient=True, disable=hidden)


class TableLines:
    """Receive the extract's row counts: show the unfinished table, then print the finished one by `line`."""

    def __init__(self, line: Callable[..., None], show: Callable[[str], None], step: str, source: str):
        self._line, self._show = line, show
        self._step, self._source = step, source
        self._table: str | None = None
        self._started = 0.0

    def __call__(self, table: str, rows: int, is_complete: bool) -> None:
        """Show the number of rows read from a table so far."""
        if table != self._table:
            self._table, self._started = table, time.monotonic()
        name = f"{self._source}.{table}"
        self._show(f"{self._step} {name} {rows:,} rows")
        if is_complete:
            self._line(self._step, name, rows, time.monotonic() - self._started)
