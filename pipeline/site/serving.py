"""Serve the site's pages over HTTP, read-only, for this machine."""

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.redact import one_line

# The site's file types; other files in the folder, such as dbt's artifacts, aren't served.
_TYPES = (".html", ".css", ".svg")
# Each page adds a stricter policy; dbt's page needs eval.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "worker-src blob:; font-src data:; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Server": "tradewinds",
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A page may be replaced at any time.
    "Cache-Control": "no-cache",
}


class _Pages(StaticFiles):
    """Answer GET and HEAD with a page of the folder, and follow no link out of it."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        full_path, found = super().lookup_path(path)
        page = Path(full_path)
        if found is None or not (page.is_dir() or page.suffix in _TYPES):
            return "", None
        is_hidden = any(part.startswith(".") for part in page.relative_to(self.directory or "").parts)
        return ("", None) if is_hidden else (full_path, found)


def serve_site(root: Path, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the site until SIGINT or SIGTERM; `on_ready` is called with its URL, port 0 takes a free one.

    Raises Refused when there is no site yet, StepFailed when the port is taken, BadRequest on an unknown host.
    """
    if not (root / "index.html").is_file():
        raise Refused("there are no pages to serve yet", "tradewinds docs")
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StepFailed(f"port {port} is in use on {host}", "tradewinds serve --port 0") from error
        if error.errno == errno.EACCES:
            raise StepFailed(f"port {port} may not be opened: {one_line(error)}", "tradewinds serve") from error
        raise BadRequest(f"can't listen on {host}: {one_line(error)}", "tradewinds serve") from error
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does so only for sockets that name TCP
    pages = Starlette(routes=[Mount("/", _Pages(directory=root.resolve(), html=True))])
    # It logs nothing: what people read is private.
    config = uvicorn.Config(
        pages,
        headers=list(_HEADERS.items()),
        timeout_graceful_shutdown=1,
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
    )
    with listening:
        try:
            on_ready(f"http://{host}:{listening.getsockname()[1]}/")
            uvicorn.Server(config).run(sockets=[listening])
        except (KeyboardInterrupt, SystemExit):
            return
