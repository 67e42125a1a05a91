"""Print a command's progress: lines for a person, JSON for a script, or nothing."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import wrap
from typing import Any, Literal

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ingestion.redact import escape_controls, show_text

_PLAIN_WIDTH = 10_000
_INDENT = " " * 9
# What a progress line needs for its spinner and its clock.
_BESIDE = 12
# The colour of a verdict in a finished line.
_VERDICTS = r"(?P<red>[1-9]\d* not met|(error|fail)\b)|(?P<yellow>warn\b)|(?P<green>\d+ (met|pass|success)\b)"


class Reporter:
    """Print one line for each finished item, and on a terminal show the unfinished one.

    `json` prints only the arguments of `tell`, `quiet` prints nothing.
    """

    def __init__(self, console: Console | None = None, form: Literal["text", "json", "quiet"] = "text"):
        self._form = form
        self._warned: set[str] = set()
        self.console = console or Console(highlight=False, soft_wrap=True, quiet=form != "text")
        if not self.console.is_terminal:
            self.console.width = _PLAIN_WIDTH  # nothing wraps in a pipe or a log
        self._show: Callable[[str], None] = lambda text: None

    def line(self, step: str, name: str, rows: int | None, seconds: float | None, note: str = "") -> None:
        """Print a finished item: step, name, rows and seconds, or its result in place of rows."""
        if rows is None and seconds is not None:
            counted, note = note, ""
        else:
            counted = "" if rows is None else f"{rows:,} rows"
        timed = "" if seconds is None else f"{seconds:>8.2f} s"
        measured = f" {counted:>17}{timed}" if counted or timed else ""
        name_width = max(12, min(42, self.console.width - 50))
        self._print(f"{step:<8} {name:<{name_width}}{measured}  {note}".rstrip())

    def warn(self, text: str, *, once: bool = False) -> None:
        """Print a warning; with `once`, only the first of equal ones, which several processes may send."""
        if not (once and text in self._warned):
            self._print(f"warning  {text}", "yellow")
        self._warned.add(text)

    def _print(self, line: str, style: str = "") -> None:
        """Print a line, coloured and wrapped below its name on a terminal."""
        shown = [escape_controls(line)]
        if self.console.is_terminal:
            width = self.console.width
            shown = wrap(shown[0], width, subsequent_indent=_INDENT, break_long_words=False, break_on_hyphens=False)
        for each in shown:
            text = Text(each, style)
            text.highlight_regex(_VERDICTS)
            self.console.print(text)

    def fits(self, table: Table) -> bool:
        """Return whether the console is wide enough for all of a table."""
        unlimited = self.console.options.update(max_width=10**6)
        return self.console.measure(table, options=unlimited).maximum <= self.console.width

    def say(self, text: str) -> None:
        """Print a line, in which names and values of others are shown escaped."""
        self.console.print(escape_controls(text), markup=False)

    def show(self, text: str) -> None:
        """Show the state of the current work on its progress line only."""
        self._show(text)

    def counting(self, step: str, source: str) -> Callable[[str, int, bool], None]:
        """Return what receives the rows read so far of a source's tables: table, rows, and whether that is all."""
        started: dict[str, float] = {}

        def count(table: str, rows: int, is_complete: bool) -> None:
            begun, name = started.setdefault(table, time.monotonic()), f"{source}.{table}"
            self.show(f"{step} {name} {rows:,} rows")
            if is_complete:
                self.line(step, name, rows, time.monotonic() - begun)

        return count

    def tell(self, **what: Any) -> None:
        """Print the arguments as one JSON object if the format is JSON."""
        if self._form == "json":
            print(json.dumps(what, ensure_ascii=False, default=str), flush=True)

    @contextmanager
    def working(self, step: str, name: str) -> Iterator[None]:
        """Show work that may take more than a second."""
        with self.progress() as progress:
            task = progress.add_task(f"{step} {name}", total=None)
            room = self.console.width - _BESIDE
            self._show = lambda text: progress.update(task, description=show_text(f"{step} {text}", room))
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
