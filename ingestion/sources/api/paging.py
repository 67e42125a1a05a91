"""Find a list's end: by the API's count, else by an empty page, never by a short one."""

from collections.abc import Sequence
from typing import Any

import requests
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator

from ingestion.errors import StepFailed
from ingestion.sources.api.lists import UnfitAnswer


class ListPaginator(PageNumberPaginator):
    """dlt's page numbers from 1 as `_page`, with another end.

    With `X-Total-Count`, every page must have the expected length. Without it, pages go on to an empty one, and only
    the last may be short. If page 2 repeats page 1, the API has no pages and the list is complete.
    """

    def __init__(self, size: int):
        super().__init__(base_page=1, page_param="_page", total_path=None)
        self._size = size
        self._seen = 0
        self._count = self._last_count = size
        self._total: int | None = None
        self._first = b""
        self.is_repeated = False

    def expect(self, response: requests.Response, rows: Sequence[Any]) -> None:
        """Raise UnfitAnswer on a page that a retry may complete, StepFailed on one that contradicts the others."""
        number, count, total = self.current_value, len(rows), total_count(response)
        self._count = count
        if number > 1 and total != self._total:
            raise StepFailed(f"page {number}: X-Total-Count went from {self._total} to {total} while it was read")
        if total is None:
            self._expect_uncounted(number, count, response.content)
        elif not (number == 1 and count == total):  # an API without pages
            expected = min(self._size, total - self._seen)
            if count != expected:
                raise UnfitAnswer(f"page {number} has {count} rows instead of {expected} (see page_size)")

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        """Count the expected page, and decide whether there is another one."""
        count = self._count
        if self.current_value == 1:
            self._total, self._first = total_count(response), response.content
        self._seen += count
        self._last_count = count
        self.current_value += self.value_step
        if self._total is not None:
            self._has_next_page = self._seen < self._total
        else:
            self._has_next_page = 0 < count <= self._size and not self.is_repeated

    def _expect_uncounted(self, number: int, count: int, body: bytes) -> None:
        if number == 1 or count == 0:
            return
        self.is_repeated = number == 2 and body == self._first
        if not self.is_repeated and self._last_count < self._size:
            raise StepFailed(f"page {number - 1} was short, and yet page {number} has rows (see page_size)")
        if not self.is_repeated and count > self._size:
            raise UnfitAnswer(f"page {number} has {count} rows, more than the {self._size} asked for")


def total_count(response: requests.Response) -> int | None:
    """Return the list's length from an answer's header, None when there is none."""
    text = response.headers.get("X-Total-Count")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise UnfitAnswer("X-Total-Count is no number")
    return int(text)
