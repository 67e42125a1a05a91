"""A small read-only API over generated data, with JSONPlaceholder's routes, pages and headers."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from ingestion.samples.api_files import FileRows


class ApiServer(ThreadingHTTPServer):
    """Serve `<resource>.jsonl` files, one JSON object a line, as they were at creation; port 0 is a free one.

    `/posts` is the whole list, `?_page=2&_limit=10` or `?_start=10&_limit=10` a part of it, with `X-Total-Count` and
    `Link`; `/posts/7` is one object.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, files: dict[str, Path], port: int = 0, handler: type[BaseHTTPRequestHandler] | None = None):
        self._files = {resource: FileRows(path) for resource, path in files.items()}
        self.rows: dict[str, FileRows | list[bytes]] = dict(self._files)
        self._answering: dict[threading.Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", port), handler or ApiHandler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer the requests of one connection, which clients keep open."""
        self._answering[threading.current_thread()] = request
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._answering[threading.current_thread()]

    def server_close(self) -> None:
        """Close the port, the connections and the files, and end all of the server's threads."""
        super().server_close()
        for thread, request in list(self._answering.items()):
            with suppress(OSError):  # its thread has closed it
                request.shutdown(socket.SHUT_RDWR)
            thread.join()
        for rows in self._files.values():
            rows.close()

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve in threads of this process during the block, and yield the URL."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self.url
        finally:
            self.shutdown()
            self.server_close()
            thread.join()


class ApiHandler(BaseHTTPRequestHandler):
    """Answer GET; the base class refuses every other verb."""

    protocol_version = "HTTP/1.1"
    # Send headers and body at once instead of waiting for a fuller packet.
    disable_nagle_algorithm = True
    server: ApiServer

    def do_GET(self) -> None:
        """Answer with a list, a part of one, or one object."""
        split = urlsplit(self.path)
        resource, _, key = split.path.strip("/").partition("/")
        rows = self.server.rows.get(resource)
        query = dict(parse_qsl(split.query))
        if rows is None:
            self.answer(HTTPStatus.NOT_FOUND, b"{}")
        elif key:
            found = [row for row in rows if str(json.loads(row)["id"]) == key]
            self.answer(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND, found[0] if found else b"{}")
        elif all(value.isdecimal() for name, value in query.items() if name in ("_page", "_limit", "_start")):
            self.answer_list(resource, rows, {name: int(value) for name, value in query.items() if name[:1] == "_"})
        else:
            self.answer(HTTPStatus.BAD_REQUEST, b"{}")

    def answer_list(self, resource: str, rows: FileRows | list[bytes], query: dict[str, int]) -> None:
        """Answer with the rows that the query selects, by default all."""
        start, end, headers = 0, len(rows), {}
        if "_page" in query or "_start" in query or "_limit" in query:
            limit = query.get("_limit", 10)
            page = max(query.get("_page", 1), 1)
            start = query.get("_start", (page - 1) * limit)
            end = start + limit
            headers = {"X-Total-Count": str(len(rows))}
            if "_start" not in query:
                headers["Link"] = self._link(resource, page, limit, -(-len(rows) // max(limit, 1)))
        self.answer(HTTPStatus.OK, b"[" + b",\n".join(rows[start:end]) + b"]\n", headers)

    def answer(self, status: HTTPStatus, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send one whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing, because requests may hold secrets."""

    def _link(self, resource: str, page: int, limit: int, last: int) -> str:
        pages = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
        return ", ".join(
            f'<{self.server.url}/{resource}?{urlencode({"_page": number, "_limit": limit})}>; rel="{name}"'
            for name, number in pages.items()
            if 1 <= number <= last
        )
