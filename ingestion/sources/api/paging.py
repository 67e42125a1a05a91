"""Find a list's end: by the API's count, else by an empty page, never by a short one."""

from collections.abc import Sequence
from typing import Any

import requests

from ingestion.errors import StepFailed
from ingestion.sources.api.lists import UnfitAnswer


class Paging:
    """The pages of a list, numbered from 1.

    With `X-Total-Count`, every page must have the expected length. Without it, pages go on to an empty one, and only
    the last may be short. If page 2 repeats page 1, the API has no pages and the list is complete.
    """

    def __init__(self, size: int):
        self.number = 1
        self.is_repeated = False
        self.is_complete = False
        self._size = size
        self._seen = 0
        self._count = self._last_count = size
        self._total: int | None = None
        self._first = b""

    def expect(self, response: requests.Response, rows: Sequence[Any]) -> None:
        """Raise UnfitAnswer on a page that a retry may complete, StepFailed on one that contradicts the others."""
        count, total = len(rows), total_count(response)
        if self.number == 1:
            self._total, self._first = total, response.content
        elif total != self._total:
            raise StepFailed(f"page {self.number}: X-Total-Count went from {self._total} to {total} while it was read")
        if total is None:
            self._expect_uncounted(count, response.content)
        elif not (self.number == 1 and count == total):  # an API without pages
            expected = min(self._size, total - self._seen)
            if count != expected:
                raise UnfitAnswer(f"page {self.number} has {count} rows instead of {expected} (see page_size)")
        self._count = count

    def advance(self) -> None:
        """Go on to the page after the expected one, if there is one."""
        self._seen += self._count
        self._last_count = self._count
        self.number += 1
        if self._total is not None:
            self.is_complete = self._seen >= self._total
        else:
            self.is_complete = not 0 < self._count <= self._size or self.is_repeated

    def _expect_uncounted(self, count: int, body: bytes) -> None:
        if self.number == 1 or count == 0:
            return
        self.is_repeated = self.number == 2 and body == self._first
        if not self.is_repeated and self._last_count < self._size:
            raise StepFailed(f"page {self.number - 1} was short, and yet page {self.number} has rows (see page_size)")
        if not self.is_repeated and count > self._size:
            raise UnfitAnswer(f"page {self.number} has {count} rows, more than the {self._size} asked for")


def total_count(response: requests.Response) -> int | None:
    """Return the list's length from an answer's header, None when there is none."""
    text = response.headers.get("X-Total-Count")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise UnfitAnswer("X-Total-Count is no number")
    return int(text)
