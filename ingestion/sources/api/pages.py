"""The pages of an API's lists, from the API or from the answers that a landed day kept."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests

from ingestion.errors import StepFailed
from ingestion.landing import Answer
from ingestion.sources.api.paging import ListPaginator, total_count
from ingestion.sources.api.session import RETRIED_ERRORS, RETRIED_STATUS, UnfitAnswer, describe_failure, open_client
from ingestion.sources.api.settings import ApiSettings
from ingestion.sources.base import Place

# A row's own text, and what it says.
Row = tuple[str, Any]
_BLANKS = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True)
class Page:
    """A part of a list: what was asked (path and query), the list's length by the API itself, and the rows."""

    request: str
    total_count: int | None
    rows: list[Row]


class Pages(Protocol):
    """Where an API's lists come from."""

    def of(self, table: str) -> Iterator[Page]:
        """Yield a list page by page."""

    def land(self, table: str, place: Place) -> list[Answer]:
        """Return the answers that `of` has read, placed in landing if they weren't there. Call after `of`."""


class ApiPages:
    """Asks the API; every answer is on disk, in `folder`, before it is parsed."""

    def __init__(self, settings: ApiSettings, folder: Path, *, is_sample: bool):
        self._settings = settings
        self._client = open_client(settings, is_sample=is_sample)
        self._folder = folder
        self._kept: dict[str, list[tuple[Path, str, int, int | None]]] = {}

    def of(self, table: str) -> Iterator[Page]:
        kept = self._kept.setdefault(table, [])
        paging = ListPaginator(self._settings.page_size)
        page: list[Page] = []

        def receive(response: requests.Response, *_: object, **__: object) -> None:
            """Keep an answer and hold it against what is expected; what is raised here is tried again by dlt."""
            if response.status_code != requests.codes.ok:
                raise requests.HTTPError(response=response)
            path = self._folder / f"{table}-{paging.current_value:06d}.json.gz"
            path.write_bytes(gzip.compress(response.content, compresslevel=6, mtime=0))
            rows = split_list(response.content)
            paging.expect(response, rows)
            page[:] = [Page(response.request.path_url, total_count(response), rows)]
            if not paging.is_repeated:
                kept[paging.current_value - 1 :] = [(path, page[0].request, response.status_code, page[0].total_count)]

        try:
            for _ in self._client.paginate(
                table,
                params={"_limit": self._settings.page_size},
                paginator=paging,
                data_selector="$",
                hooks={"response": [receive]},
                allow_redirects=False,  # a key is for the host that was configured
            ):
                if not paging.is_repeated:
                    yield page[0]
        except requests.RequestException as error:
            tries = f" after {self._settings.max_attempts} attempts" if _is_retried(error) else ""
            raise StepFailed(f"{table} can't be read{tries}: {describe_failure(error, self._settings)}") from error
        except StepFailed as error:
            raise StepFailed(f"{table} can't be read: {error.reason}") from error

    def land(self, table: str, place: Place) -> list[Answer]:
        landed = []
        for path, request, status, count in self._kept.get(table, []):
            file = place(path, table, path.name.removeprefix(f"{table}-"))
            landed.append(Answer(file.path, file.bytes, file.sha256, table, request, status, count))
        return landed


class KeptPages:
    """Reads the answers of a landed day again, each by its file."""

    def __init__(self, answers: list[tuple[Answer, Path]]):
        self._answers = answers

    def of(self, table: str) -> Iterator[Page]:
        for answer, path in self._answers:
            if answer.table == table:
                yield Page(answer.request, answer.total_count, split_list(gzip.decompress(path.read_bytes())))

    def land(self, table: str, place: Place) -> list[Answer]:
        return [answer for answer, _ in self._answers if answer.table == table]


def split_list(body: bytes) -> list[Row]:
    """Return the rows of a JSON list, each with its own text; raises UnfitAnswer on anything else."""
    try:
        text = body.decode("utf-8-sig")
        place = _skip(text, 0)
        if text[place : place + 1] != "[":
            raise ValueError("no list")
        rows, place = [], _skip(text, place + 1)
        while text[place : place + 1] != "]":
            if rows:
                if text[place : place + 1] != ",":
                    raise ValueError("no comma")
                place = _skip(text, place + 1)
            row, end = _DECODER.raw_decode(text, place)
            rows.append((text[place:end], row))
            place = _skip(text, end)
        if _skip(text, place + 1) != len(text):
            raise ValueError("more than a list")
    except (ValueError, RecursionError) as error:
        raise UnfitAnswer("its answer is no whole JSON list") from error
    return rows


def _skip(text: str, place: int) -> int:
    return _BLANKS.match(text, place).end()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _is_retried(error: requests.RequestException) -> bool:
    return isinstance(error, RETRIED_ERRORS) or (
        isinstance(error, requests.HTTPError) and error.response.status_code in RETRIED_STATUS
    )


# Python refuses integers of thousands of digits; as floats they are merely of the wrong type.
_DECODER = json.JSONDecoder(
    parse_int=lambda digits: int(digits) if len(digits) < 20 else float(digits),
    parse_constant=_refuse_constant,
)
