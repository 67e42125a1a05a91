"""The people service's view of the warehouse: the published marts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Report:
    """Rows of a published mart, and their version."""

    version: str
    columns: Sequence[str]
    rows: Sequence[dict[str, Any]]


# Returns a mart's rows of one hire year in its reading order, None before the first publish.
ReadReport = Callable[[str, int], Report | None]
