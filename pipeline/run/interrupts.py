"""Let Ctrl-C and SIGTERM end a command soon, although dlt delays them and database drivers ignore them."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

# The time for an orderly end, longer than that of workers.
_SECONDS = 1.6
_EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@contextmanager
def ended_soon() -> Iterator[None]:
    """End this process if it is still in the block shortly after a signal; call in the main thread.

    Errors that an interrupted library raises leave the block as KeyboardInterrupt.
    """
    interrupts: list[int] = []

    def interrupt(number: int, _: Any) -> None:
        interrupts.append(number)
        raise KeyboardInterrupt

    ours, told = socket.socketpair()
    told.setblocking(False)
    left = Event()
    Thread(target=_watch, args=(ours, left), daemon=True).start()
    # The C signal handler writes to it, even while Python waits for a library.
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # otherwise our caller ignores it, as a shell does for `&`
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except Exception as error:
        if interrupts:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, handler)
        signal.set_wakeup_fd(before)
        left.set()
        told.close()


def _watch(ours: socket.socket, left: Event) -> None:
    with ours:
        while numbers := ours.recv(1):
            if numbers[0] in _EXIT_CODES and not left.wait(_SECONDS):
                _end(signal.Signals(numbers[0]))


def _end(number: signal.Signals) -> None:
    """End at once: the kernel frees this process's locks, and workers end with it."""
    if number == signal.SIGINT:
        os.write(sys.stderr.fileno(), b"tradewinds: interrupted\n")
    os._exit(_EXIT_CODES[number])
