"""The pages of an API's lists, from the API or from the answers of a landed day."""

import gzip
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests

from ingestion.errors import StepFailed
from ingestion.landing import Answer
from ingestion.sources.api.lists import parse_list
from ingestion.sources.api.paging import Paging, total_count
from ingestion.sources.api.session import RETRIED_ERRORS, RETRIED_STATUS, describe_failure, open_session
from ingestion.sources.api.settings import ApiSettings
from ingestion.sources.base import Place

# How many answers are placed in landing at once: each waits for the disk, or for a bucket.
_AT_ONCE = 8


@dataclass(frozen=True)
class Page:
    """A part of a list: its request (path and query), the list's length according to the API, its text and rows."""

    request: str
    total_count: int | None
    body: bytes
    rows: list[Any]


class Pages(Protocol):
    """A supplier of an API's lists."""

    def of(self, table: str) -> Iterator[Page]:
        """Yield a list page by page."""

    def land(self, table: str, place: Place) -> list[Answer]:
        """Return the answers that `of` has read, all placed in landing. Call after `of`."""


class ApiPages:
    """Request the API; `writer`, with one thread, saves each answer in `folder` during the next request."""

    def __init__(self, settings: ApiSettings, folder: Path, writer: Executor, *, is_sample: bool):
        self._settings = settings
        self._session = open_session(settings, is_sample=is_sample)
        self._folder = folder
        self._writer = writer
        self._unwritten: Future | None = None
        self._kept: dict[str, list[tuple[Path, str, int, int | None]]] = {}

    def of(self, table: str) -> Iterator[Page]:
        kept = self._kept.setdefault(table, [])
        paging = Paging(self._settings.page_size)
        page: list[Page] = []

        def receive(response: requests.Response, *_: object, **__: object) -> None:
            """Check an answer and keep it; dlt retries what is raised here."""
            if response.status_code != requests.codes.ok:
                raise requests.HTTPError(response=response)
            rows = parse_list(response.content)
            paging.expect(response, rows)
            page[:] = [Page(response.request.path_url, total_count(response), response.content, rows)]
            if not paging.is_repeated:
                path = self._folder / f"{table}-{paging.number:06d}.json.gz"
                self._wait()
                self._unwritten = self._writer.submit(_write, path, response.content)
                kept[paging.number - 1 :] = [(path, page[0].request, response.status_code, page[0].total_count)]

        url = f"{self._settings.base_url.rstrip('/')}/{table}"
        prepared = None
        try:
            while not paging.is_complete:
                if prepared is None or self._session.cookies:  # else only the query changes
                    prepared = self._session.prepare_request(
                        requests.Request("GET", url, hooks={"response": [receive]})
                    )
                prepared.prepare_url(url, {"_limit": self._settings.page_size, "_page": paging.number})
                self._session.send(prepared, allow_redirects=False)  # the key is only for the configured host
                if not paging.is_repeated:
                    yield page[0]
                paging.advance()
        except requests.RequestException as error:
            tries = f" after {self._settings.max_attempts} attempts" if _is_retried(error) else ""
            raise StepFailed(f"{table} can't be read{tries}: {describe_failure(error, self._settings)}") from error
        except StepFailed as error:
            raise StepFailed(f"{table} can't be read: {error.reason}") from error

    def land(self, table: str, place: Place) -> list[Answer]:
        self._wait()

        def land_one(kept: tuple[Path, str, int, int | None]) -> Answer:
            path, request, status, count = kept
            file = place(path, table, path.name.removeprefix(f"{table}-"))
            return Answer(file.path, file.bytes, file.sha256, table, request, status, count)

        with ThreadPoolExecutor(_AT_ONCE) as placing:
            return list(placing.map(land_one, self._kept.get(table, [])))

    def _wait(self) -> None:
        """Wait until all answers are written; raises OSError when one couldn't be."""
        if self._unwritten:
            self._unwritten.result()


class KeptPages:
    """Read the answers of a landed day again, file by file."""

    def __init__(self, answers: list[tuple[Answer, Path]]):
        self._answers = answers

    def of(self, table: str) -> Iterator[Page]:
        for answer, path in self._answers:
            if answer.table == table:
                body = gzip.decompress(path.read_bytes())
                yield Page(answer.request, answer.total_count, body, parse_list(body))

    def land(self, table: str, place: Place) -> list[Answer]:
        return [answer for answer, _ in self._answers if answer.table == table]


def _write(path: Path, body: bytes) -> None:
    # The lowest level takes a quarter of the default's time, and makes files a third larger.
    path.write_bytes(gzip.compress(body, compresslevel=1, mtime=0))


def _is_retried(error: requests.RequestException) -> bool:
    return isinstance(error, RETRIED_ERRORS) or getattr(error.response, "status_code", None) in RETRIED_STATUS
