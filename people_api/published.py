"""The people service's view of the warehouse: the published marts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Report:
    """Rows of a published mart, and their version."""

    version: str
    columns: Sequence[str]
    rows: Sequence[dict[str, Any]]


class PublishedMarts(Protocol):
    """Access to the published marts."""

    def report(self, mart: str, year: int) -> Report | None:
        """Return a mart's rows of one hire year in its reading order, None before the first publish."""
