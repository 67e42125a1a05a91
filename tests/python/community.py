"""A community API whose answers a test can spoil: real HTTP, from the sample's server."""

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ingestion.samples.api_files import RESOURCES
from ingestion.samples.api_server import ApiHandler, ApiServer

# Spoils one answer: is given the handler and what it is about to send, and sends something, or nothing.
Fault = Callable[["FaultyHandler", HTTPStatus, bytes, dict[str, str]], None]


class FaultyApi(ApiServer):
    """The API over rows that a test may change; `faults` are used up one by one by the answers about a resource.

    `requests` are the paths that were asked for, `headers` what each came with.
    """

    def __init__(self, rows: dict[str, list[dict]]):
        super().__init__({}, handler=FaultyHandler)
        self.rows = {resource: [json.dumps(row).encode() for row in rows.get(resource, [])] for resource in RESOURCES}
        self.faults: dict[str, list[Fault]] = {}
        self.always: dict[str, Fault] = {}
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.has_counts = True
        self.has_pages = True

    def change(self, resource: str, change: Callable[[dict], dict]) -> None:
        """Change each row of a resource."""
        self.rows[resource] = [json.dumps(change(json.loads(row))).encode() for row in self.rows[resource]]

    def served(self, resource: str) -> list[dict]:
        """Return a resource's rows."""
        return [json.loads(row) for row in self.rows[resource]]


class FaultyHandler(ApiHandler):
    """Answers like the sample's server, unless a fault is due."""

    server: FaultyApi

    def do_GET(self) -> None:  # noqa: N802
        self.server.requests.append(self.path)
        self.server.headers.append(dict(self.headers))
        if not self.server.has_pages:
            self.path = urlsplit(self.path).path
        super().do_GET()

    def answer(self, status: HTTPStatus, body: bytes, headers: dict[str, str] | None = None) -> None:
        resource = urlsplit(self.path).path.strip("/")
        due = self.server.faults.get(resource, [])
        fault = due.pop(0) if due else self.server.always.get(resource)
        headers = headers if self.server.has_counts else {}
        if fault:
            fault(self, status, body, headers or {})
        else:
            self.send(status, body, headers)

    def send(self, status: HTTPStatus, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send an answer as it is."""
        super().answer(status, body, headers)

    @property
    def page(self) -> int:
        """The page that is asked for."""
        return int(dict(parse_qsl(urlsplit(self.path).query)).get("_page", 1))


def status(code: int, **headers: str) -> Fault:
    """Answer with another status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, *_: handler.send(HTTPStatus(code), b'{"error": "not today"}', named)


def hang(seconds: float) -> Fault:
    """Say nothing for a while, and then nothing more."""

    def fault(handler: FaultyHandler, *_: Any) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return fault


def trickle(handler: FaultyHandler, code: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
    """Send a byte now and then, so that the connection never falls silent."""
    _begin(handler, code, len(body), headers)
    try:
        for byte in body[:60]:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.1)
    except OSError:
        pass
    handler.close_connection = True


def cut(handler: FaultyHandler, code: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
    """Drop the connection in the middle of the body."""
    _begin(handler, code, len(body), headers)
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def cut_unannounced(handler: FaultyHandler, code: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
    """Drop the connection in the middle of a body whose length nobody was told."""
    _begin(handler, code, None, headers)
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def short(rows: int) -> Fault:
    """Leave out the last rows of a page."""
    return lambda handler, code, body, headers: handler.send(
        code, json.dumps(json.loads(body)[:-rows]).encode(), headers
    )


def text(body: bytes) -> Fault:
    """Answer with something else."""
    return lambda handler, code, _, headers: handler.send(code, body, headers)


def _begin(handler: FaultyHandler, code: HTTPStatus, length: int | None, headers: dict[str, str]) -> None:
    handler.send_response(code)
    if length is None:
        handler.send_header("Connection", "close")
    else:
        handler.send_header("Content-Length", str(length))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def read_rows(folder: Path) -> dict[str, list[dict]]:
    """Return the sample's rows by resource from the files that its server serves."""
    return {
        resource: [json.loads(line) for line in (folder / f"{resource}.jsonl").read_text(encoding="utf-8").splitlines()]
        for resource in RESOURCES
    }


def small_rows() -> dict[str, list[dict]]:
    """Return a small community of the API's shapes: 2 users, 23 posts, 40 comments, 2 albums, 5 photos, 6 todos."""
    users = [
        {
            "id": number, "name": f"Ann {number}", "username": f"ann{number}", "email": f"ann{number}@a.example",
            "address": {
                "street": "Quay", "suite": "Loft 1", "city": "Porto", "zipcode": "4050",
                "geo": {"lat": "-37.3159", "lng": "81.1496"},
            },
            "phone": "1-770 x56442", "website": "ann.example",
            "company": {"name": "Mooring", "catchPhrase": "no fog", "bs": "tea"},
        }
        for number in (1, 2)
    ]  # fmt: skip
    return {
        "users": users,
        "posts": [{"userId": 1, "id": n, "title": f"post {n}", "body": "a\nb"} for n in range(1, 24)],
        "comments": [
            {"postId": n % 23 + 1, "id": n, "name": "so", "email": "g@g.example", "body": "é"} for n in range(1, 41)
        ],
        "albums": [{"userId": n, "id": n, "title": "sea"} for n in (1, 2)],
        "photos": [{"albumId": 1, "id": n, "title": "p", "url": "http://u", "thumbnailUrl": "http://t"}
                   for n in range(1, 6)],
        "todos": [{"userId": 1, "id": n, "title": "do", "completed": n % 2 == 0} for n in range(1, 7)],
    }  # fmt: skip
