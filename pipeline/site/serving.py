"""Serve the site's pages over HTTP, read-only, for this machine."""

import errno
import os
import shutil
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.redact import one_line

# The site's file types; other files in the folder, such as dbt's artifacts, aren't served.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
# Each page adds a stricter policy; dbt's page needs eval.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "worker-src blob:; font-src data:; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A page may be replaced at any time.
    "Cache-Control": "no-cache",
}


class _Reader(BaseHTTPRequestHandler):
    """Answer GET and HEAD with a page of the root."""

    server_version, sys_version = "tradewinds", ""
    # Seconds that a client may take over its request.
    timeout = 30

    def __init__(self, *connection: object, root: Path):
        self._root = root
        super().__init__(*connection)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _refuse(self) -> None:
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = _refuse  # noqa: N815

    def end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing: what people read is private."""

    def _answer(self, *, with_body: bool) -> None:
        path = find_page(self._root, self.path)
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with path.open("rb") as page:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", _TYPES[path.suffix])
            self.send_header("Content-Length", str(os.fstat(page.fileno()).st_size))
            self.end_headers()
            if with_body:
                shutil.copyfileobj(page, self.wfile)


def find_page(root: Path, requested: str) -> Path | None:
    """Return the page at a request's path, None if it isn't a page below the root after resolving links and dots."""
    name = unquote(urlsplit(requested).path)
    if "\0" in name or "\\" in name:
        return None
    path = (root / name.lstrip("/")).resolve()
    path = path / "index.html" if name.endswith("/") else path
    is_ours = path.is_relative_to(root) and not any(part.startswith(".") for part in path.relative_to(root).parts)
    return path if is_ours and path.suffix in _TYPES and path.is_file() else None


def serve_site(root: Path, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the site until SIGINT or SIGTERM; `on_ready` is called with its URL, port 0 takes a free one.

    Raises Refused when there is no site yet, StepFailed when the port is taken, BadRequest on an unknown host.
    """
    if not (root / "index.html").is_file():
        raise Refused("there are no pages to serve yet", "tradewinds docs")
    try:
        server = ThreadingHTTPServer((host, port), partial(_Reader, root=root.resolve()))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StepFailed(f"port {port} is in use on {host}", "tradewinds serve --port 0") from error
        if error.errno == errno.EACCES:
            raise StepFailed(f"port {port} may not be opened: {one_line(error)}", "tradewinds serve") from error
        raise BadRequest(f"can't listen on {host}: {one_line(error)}", "tradewinds serve") from error
    with server:
        on_ready(f"http://{host}:{server.server_port}/")
        try:
            server.serve_forever()
        except (KeyboardInterrupt, SystemExit):
            return
