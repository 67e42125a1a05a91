"""What the people service knows of the warehouse: the marts that readers see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Report:
    """Rows of a published mart, and the version they are of."""

    version: str
    columns: Sequence[str]
    rows: Sequence[dict[str, Any]]


class PublishedMarts(Protocol):
    """The way to the published marts."""

    def report(self, mart: str, year: int) -> Report | None:
        """Return a mart's rows of one hire year in the order it is read, None before anything was published."""
