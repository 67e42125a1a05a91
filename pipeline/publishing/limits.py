"""The limits of a query that somebody else has written, such as an agent."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

_LOOKS = 0.05  # seconds between two looks at the clock


@dataclass(frozen=True)
class Limits:
    """How long a query may take; setting `ended` stops it now."""

    seconds: float
    ended: Event = field(default_factory=Event)

    @property
    def overrun(self) -> str:
        """What to say of a query that was stopped."""
        return f"the query took longer than {self.seconds:g} s and was stopped; ask for less"

    @contextmanager
    def stopping(self, stop: Callable[[], object]) -> Iterator[None]:
        """Call `stop` when the time is over, and again until the block ends: a query may come after the first call."""
        deadline, left = time.monotonic() + self.seconds, Event()

        def watch() -> None:
            while not left.wait(_LOOKS):
                if self.ended.is_set() or time.monotonic() > deadline:
                    with suppress(Exception):  # the connection may close at the same time
                        stop()

        Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            left.set()
