"""A small API over generated data: JSONPlaceholder's routes, pages and headers, for reading only."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from ingestion.samples.api_files import FileRows


class ApiServer(ThreadingHTTPServer):
    """Serves files of one JSON object a line, `<resource>.jsonl`, as they were when it was made; port 0 is a free one.

    `/posts` is the whole list, `?_page=2&_limit=10` or `?_start=10&_limit=10` a part of it, with `X-Total-Count` and
    `Link`; `/posts/7` is one object.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, files: dict[str, Path], port: int = 0, handler: type[BaseHTTPRequestHandler] | None = None):
        self._files = {resource: FileRows(path) for resource, path in files.items()}
        self.rows: dict[str, Sequence[bytes]] = dict(self._files)
        self._answering: dict[threading.Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", port), handler or ApiHandler)

    def process_request_thread(self, request: socket.socket, client_address: tuple[str, int]) -> None:
        """Answer the requests of one connection; clients keep it open between them."""
        self._answering[threading.current_thread()] = request
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._answering[threading.current_thread()]

    def server_close(self) -> None:
        """Give up the port, the connections and the files; no thread of the server is left."""
        super().server_close()
        for thread, request in list(self._answering.items()):
            with suppress(OSError):  # closed by its thread meanwhile
                request.shutdown(socket.SHUT_RDWR)
            thread.join()
        for rows in self._files.values():
            rows.close()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def running(self) -> Iterator[str]:
        """Answer in threads of this process while the block lasts; yields the URL."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self.url
        finally:
            self.shutdown()
            self.server_close()
            thread.join()


class ApiHandler(BaseHTTPRequestHandler):
    """Answers GET; every other verb is refused by the base class."""

    protocol_version = "HTTP/1.1"
    # Headers and body go out as they are written, not held back for a fuller packet.
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

    def answer_list(self, resource: str, rows: Sequence[bytes], query: dict[str, int]) -> None:
        """Answer with the rows that a query asks for, all of them when it asks for no part."""
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
        """Say nothing: a request is no news, and what it carries may be secret."""

    def _link(self, resource: str, page: int, limit: int, last: int) -> str:
        pages = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
        return ", ".join(
            f'<{self.server.url}/{resource}?{urlencode({"_page": number, "_limit": limit})}>; rel="{name}"'
            for name, number in pages.items()
            if 1 <= number <= last
        )
