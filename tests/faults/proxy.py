"""A proxy on loopback before a Postgres server, which cuts or stalls a connection, or does something else meanwhile."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import sleep
from urllib.parse import urlsplit, urlunsplit

_PIECE = 4096


class Proxy:
    """Passes bytes on in both directions, and counts them; at `at` bytes of one direction it calls `act` once."""

    def __init__(self, url: str, *, counts_sent: bool = False):
        self._place = urlsplit(url)
        self._counts_sent, self._passed, self._lock, self._acting = counts_sent, 0, threading.Lock(), threading.Lock()
        self.at: int | None = None
        self.act: Callable[[], None] = lambda: None
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The database's URL, through the proxy."""
        user, _, _ = self._place.netloc.rpartition("@")
        return urlunsplit(self._place._replace(netloc=f"{user}@127.0.0.1:{self.port}"))

    @property
    def passed(self) -> int:
        """The bytes passed since the last `wait_for`."""
        return self._passed

    def wait_for(self, at: int | None, act: Callable[[], None] = lambda: None) -> None:
        """Begin to count again, when the last act is over."""
        with self._acting, self._lock:
            self._passed, self.at, self.act = 0, at, act

    def cut(self) -> None:
        """Cut every connection, as a firewall that has lost its state."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with suppress(OSError):  # the server is away: the client is told by its end
                    server = socket.create_connection((self._place.hostname, self._place.port))
                    self._ends += [client, server]
                    for source, sink, is_counted in (
                        (client, server, self._counts_sent),
                        (server, client, not self._counts_sent),
                    ):
                        threading.Thread(target=self._pass_on, args=(source, sink, is_counted), daemon=True).start()
                    continue
                client.close()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_counted: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if is_counted:
                    self._count(len(piece))
                sink.sendall(piece)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _count(self, size: int) -> None:
        with self._lock:
            self._passed += size
            is_due = self.at is not None and self._passed >= self.at
            if is_due:
                self.at = None
                self._acting.acquire()
        if is_due:
            try:
                self.act()
            finally:
                self._acting.release()


@contextmanager
def proxied(url: str, *, counts_sent: bool = False) -> Iterator[Proxy]:
    """Keep a proxy before a database up; it counts what the server sends, or what is sent to it."""
    proxy = Proxy(url, counts_sent=counts_sent)
    try:
        yield proxy
    finally:
        proxy.close()


def stall() -> None:
    """Pass nothing on for a while."""
    sleep(0.5)
