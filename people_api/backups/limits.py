"""How much a backup file may ask of the machine that reads it."""

import os
from dataclasses import dataclass

from ingestion.errors import BadRequest

_VARIABLE = "TRADEWINDS_BACKUP_MAX_BYTES"
_DEFAULT_BYTES = 2 * 2**30

HEADER_BYTES = 64 * 2**10  # of a file's header, and of a sidecar
BLOCK_BYTES = 64 * 2**20  # of one block, packed or unpacked: what is held in memory at once
RATIO = 100  # unpacked bytes for one of the file; tables come to 5 or 20


class Damaged(Exception):
    """A file isn't a backup that can be restored; says why."""


@dataclass(frozen=True)
class Budget:
    """The bytes that a file may have, and the bytes that it may unpack to."""

    file_bytes: int

    @classmethod
    def from_environment(cls) -> "Budget":
        """Read `TRADEWINDS_BACKUP_MAX_BYTES`, 2 GiB when it isn't set; raises BadRequest when it is no size."""
        text = os.environ.get(_VARIABLE) or str(_DEFAULT_BYTES)
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise BadRequest(f"{_VARIABLE}: expected a number of bytes, not {text!r}")
        return cls(int(text))

    def check_size(self, size: int) -> None:
        """Raise Damaged when a file has more bytes than one may have."""
        if size > self.file_bytes:
            raise Damaged(f"has more than {self.file_bytes:,} bytes ({_VARIABLE})")

    def unpacked_bytes(self, size: int) -> int:
        """Return how many bytes a file of this size may unpack to; what fits into a block does no harm at any ratio."""
        return max(BLOCK_BYTES, RATIO * size)
