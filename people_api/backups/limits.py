"""Limits on the memory and disk that reading a backup may take."""

from dataclasses import dataclass

from ingestion.settings import whole_number

_VARIABLE = "TRADEWINDS_BACKUP_MAX_BYTES"
_DEFAULT_BYTES = 2 * 2**30

HEADER_BYTES = 64 * 2**10  # for a file's header or a sidecar
BLOCK_BYTES = 64 * 2**20  # for one block, packed or unpacked, which is held in memory
RATIO = 100  # unpacked bytes per byte of the file; real tables have 5 to 20


class Damaged(Exception):
    """A file isn't a restorable backup; the message is the reason."""


@dataclass(frozen=True)
class Budget:
    """The limits of a file's size, packed and unpacked."""

    file_bytes: int

    @classmethod
    def from_environment(cls) -> "Budget":
        """Read `TRADEWINDS_BACKUP_MAX_BYTES`, by default 2 GiB; raises BadRequest when it isn't a size."""
        return cls(whole_number(_VARIABLE, _DEFAULT_BYTES))

    def check_size(self, size: int) -> None:
        """Raise Damaged when a file is too large."""
        if size > self.file_bytes:
            raise Damaged(f"has more than {self.file_bytes:,} bytes ({_VARIABLE})")

    def unpacked_bytes(self, size: int) -> int:
        """Return how many bytes a file of this size may unpack to, at least one block: that is safe at any ratio."""
        return max(BLOCK_BYTES, RATIO * size)
