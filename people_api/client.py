"""A small client of the people service, for the command line."""

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any
from uuid import uuid4

import httpx

from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.redact import register_secret
from ingestion.settings import Home
from people_api.api.batches import MAX_ROWS
from people_api.api.gate import KEY_HEADER
from people_api.logs import log, open_log

DEFAULT_URL = "http://127.0.0.1:8321"
_TRIES = 4
_PASSING = (429, 503)


@dataclass(frozen=True)
class Added:
    """The service's results for the sent rows: total counts, and the rejects by row."""

    accepted: int
    rejects: dict[int, list[str]]


class Client:
    """A client of the service at PEOPLE_API_URL, with the key in PEOPLE_API_KEY.

    Raises StepFailed when the service can't be reached or fails, Refused when it refuses the request.
    """

    def __init__(self, home: Home):
        key = os.environ.get("PEOPLE_API_KEY")
        if not key:
            raise BadRequest("PEOPLE_API_KEY isn't set; make a key with: tradewinds people key create")
        register_secret(key)
        self._url = os.environ.get("PEOPLE_API_URL") or DEFAULT_URL
        self._log = open_log(home, "client")
        try:
            transport = httpx.HTTPTransport(retries=_TRIES)
            self._http = httpx.Client(
                base_url=self._url, headers={KEY_HEADER: key}, timeout=60, transport=transport, trust_env=False
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise BadRequest(f"PEOPLE_API_URL is no URL of a service: {error}") from error

    def add(self, table: str, rows: Iterable[Any], *, first_row: int = 1, key: str | None = None) -> Added:
        """Send rows in batches of a thousand; interrupted batches are retried, idempotently.

        A `key` that identifies the rows' origin makes this hold across commands. Rejects are numbered from `first_row`.
        """
        accepted, row = 0, first_row
        rejects: dict[int, list[str]] = {}
        for batch in _parts(iter(rows), MAX_ROWS):
            batch_key = f"{key}-{row}-{len(batch)}" if key else uuid4().hex
            answer = self._ask("POST", f"/v1/{table}/batch", json=batch, headers={"Idempotency-Key": batch_key}).json()
            accepted += answer["accepted"]
            rejects |= {row - 1 + reject["row"]: reject["reasons"] for reject in answer["rejects"]}
            row += len(batch)
        return Added(accepted, rejects)

    def get(self, table: str, id_: int) -> dict[str, Any]:
        """Return a row."""
        return self._ask("GET", f"/v1/{table}/{id_}").json()

    def list(self, table: str, *, include_inactive: bool, limit: int | None) -> Iterator[dict[str, Any]]:
        """Yield the rows by id, at most `limit`; all when it is None."""
        for offset in count(step=MAX_ROWS):
            size = MAX_ROWS if limit is None else min(MAX_ROWS, limit - offset)
            if size < 1:
                return
            page = {"limit": size, "offset": offset, "include_inactive": str(include_inactive).lower()}
            items = self._ask("GET", f"/v1/{table}", params=page).json()["items"]
            yield from items
            if len(items) < size:
                return

    def report(self, name: str, year: int, format_: str) -> str:
        """Return a report's text."""
        return self._ask("GET", f"/v1/reports/{name}", params={"year": year, "format": format_}).text

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        for tries_left in reversed(range(_TRIES)):
            try:
                response = self._http.request(method, path, **request)
            except httpx.HTTPError as error:
                if isinstance(error, httpx.ConnectError) or not tries_left:
                    log(self._log, "unreachable", method=method, path=path, error=str(error))
                    raise StepFailed(
                        f"the people service at {self._url} doesn't answer: {error}", "tradewinds people serve"
                    ) from error
                continue
            log(self._log, "request", method=method, path=path, status=response.status_code)
            if response.status_code in _PASSING and tries_left:
                time.sleep(min(float(response.headers.get("Retry-After", 1)), 60))
                continue
            _refuse_unwell(response, self._url)
            return response
        raise AssertionError("the last try returns or raises")


def _refuse_unwell(response: httpx.Response, url: str) -> None:
    if response.is_success:
        return
    try:
        said = response.json()
        reason = "; ".join([said["detail"], *said["errors"]])
    except (json.JSONDecodeError, KeyError, TypeError):
        reason = response.reason_phrase
    line = f"the people service at {url} says {response.status_code}: {reason}"
    raise StepFailed(line) if response.status_code >= 500 else Refused(line)


def _parts(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while part := list(islice(rows, size)):
        yield part
