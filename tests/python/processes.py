"""What other processes show."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def watch_processes(seen: set[bytes], every: float = 0.005) -> Iterator[None]:
    """Collect what `ps` could show of any process meanwhile, every so many seconds."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(every):
            for arguments in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(arguments.read_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
