"""Print a failure on standard error: one line, or a line each for its findings, the page and the next command."""

from collections.abc import Iterator
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from ingestion.errors import Refused, TradewindsError
from ingestion.redact import one_line

_SHOWN = 8
_PROGRAM = "tradewinds: "


def print_failure(error: TradewindsError) -> None:
    """Print a failure; on a terminal its sentences are wrapped, but not its page and command, which are copied."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    width = console.width if console.is_terminal else None
    for line in _lines(error, width):
        text = Text(line)
        text.highlight_words([_PROGRAM], "bold yellow" if isinstance(error, Refused) else "bold red")
        text.highlight_regex("^  (see|run): (?P<bold>.+)")
        console.print(text)


def _lines(error: TradewindsError, width: int | None) -> Iterator[str]:
    """Yield one line if that says it all and fits, else the head and below it what follows."""
    shown = [*error.findings[:_SHOWN]]
    whole = _PROGRAM + _clean(f"{error.reason}; run: {error.command}" if error.command else error.reason)
    if len(shown) < 2 and not error.page and len(whole) <= (width or len(whole)):
        yield whole
        return
    more = len(error.findings) - len(shown)
    yield from _wrapped(_PROGRAM + _clean(error.head), width)
    for finding in shown:
        yield from _wrapped(_clean(finding), width, "  ", most=2 if len(shown) > 1 else None)
    for sentence in (f"and {more:,} more" if more else None, error.hint):
        yield from _wrapped(_clean(sentence), width, "  ") if sentence else ()
    for label, place in (("see", error.page), ("run", error.command)):
        if place:
            yield f"  {label}: {_clean(place)}"


def _wrapped(text: str, width: int | None, indent: str = "", most: int | None = None) -> list[str]:
    """Return a sentence's lines, at most so many of them on a terminal."""
    if width is None:
        return [indent + text]
    return wrap(
        text, width, initial_indent=indent, subsequent_indent=indent + "  ", max_lines=most, placeholder=" …",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _clean(text: str) -> str:
    return one_line(TradewindsError(text))
