"""Read the blocks of an Avro file (Avro 1.12, Object Container Files) in bounded memory.

fastavro's reader trusts the file and unpacks a block to any size. This one checks every length that a file claims
against the file's bytes and the limits before it allocates, loops or unpacks.
"""

import json
import os
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from people_api.backups.limits import BLOCK_BYTES, HEADER_BYTES, RATIO, Damaged, check_size

_MAGIC = b"Obj\x01"
_SYNC_BYTES = 16
_VARINT_BYTES = 10  # of a 64-bit number with seven bits a byte


def read_blocks(file: BinaryIO, schema: dict[str, Any], rows: int, max_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield each block's row count and unpacked bytes; raises Damaged at the first fault.

    The whole file, including its number of rows, is checked only when the iterator ends.
    """
    reader = _Reader(file)
    check_size(reader.size, max_bytes)
    codec, sync = _read_header(reader, schema)
    # One block is safe at any ratio.
    unpacked_left, rows_left = max(BLOCK_BYTES, RATIO * reader.size), rows
    while reader.left:
        count, size = reader.varint(), reader.varint()
        if not 0 < count <= rows_left:
            raise Damaged(f"a block claims {count} rows where {rows_left} of {rows} are left")
        if not 0 <= size <= BLOCK_BYTES:
            raise Damaged(f"a block claims {size} bytes")
        packed = reader.take(size)
        data = _inflate(packed) if codec == b"deflate" else packed
        unpacked_left -= len(data)
        if unpacked_left < 0:
            raise Damaged("unpacks to far more than a backup of its size does")
        if reader.take(_SYNC_BYTES) != sync:
            raise Damaged("a block doesn't end in the file's sync marker")
        if count > len(data):
            raise Damaged(f"a block claims {count} rows in {len(data)} bytes")
        rows_left -= count
        yield count, data
    if rows_left:
        raise Damaged(f"has {rows - rows_left} rows, not {rows}")


class _Reader:
    """A file reader that checks every claimed length before it reads on."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.size = self.left = file.seek(0, os.SEEK_END)
        file.seek(0)

    def take(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise Damaged(f"claims {size} bytes where {self.left} are left")
        self.left -= size
        return self._file.read(size)

    def varint(self) -> int:
        """Return a zigzag number; raises Damaged when it is longer than 64 bits."""
        value = 0
        for position in range(_VARINT_BYTES):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << (7 * position)
            if byte < 0x80:
                if value >> 64:
                    break
                return (value >> 1) ^ -(value & 1)
        raise Damaged("holds a number of more than 64 bits")


def _read_header(reader: _Reader, schema: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return the codec and the sync marker; raises Damaged on another schema or an unknown codec."""
    if reader.size < len(_MAGIC) or reader.take(len(_MAGIC)) != _MAGIC:
        raise Damaged("is no Avro file")
    metadata = _read_metadata(reader)
    try:
        written = json.loads(metadata.get(b"avro.schema", b""))
    except (ValueError, RecursionError) as error:
        raise Damaged("holds no schema that can be read") from error
    if written != schema:
        raise Damaged(f"has another schema than {schema['name']}")
    codec = metadata.get(b"avro.codec", b"null")
    if codec not in (b"deflate", b"null"):
        raise Damaged(f"is packed by a codec that isn't deflate: {codec[:20]!r}")
    return codec, reader.take(_SYNC_BYTES)


def _read_metadata(reader: _Reader) -> dict[bytes, bytes]:
    """Return the header's map: blocks up to an empty one; a negative count is followed by the block's size in bytes."""
    entries: dict[bytes, bytes] = {}
    while count := reader.varint():
        if count < 0:
            reader.varint()
        for _ in range(abs(count)):
            key = _take_of_header(reader)
            if key in entries:
                raise Damaged("says something twice in its header")
            entries[key] = _take_of_header(reader)
    return entries


def _take_of_header(reader: _Reader) -> bytes:
    size = reader.varint()
    if size + reader.size - reader.left > HEADER_BYTES:
        raise Damaged(f"has a header of more than {HEADER_BYTES:,} bytes")
    return reader.take(size)


def _inflate(packed: bytes) -> bytes:
    """Unpack raw deflate (RFC 1951); fastavro appends the first bytes of zlib's checksum (RFC 1950)."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(packed, BLOCK_BYTES + 1)
    except zlib.error as error:
        raise Damaged("a block can't be unpacked") from error
    if len(data) > BLOCK_BYTES:
        raise Damaged(f"a block unpacks to more than {BLOCK_BYTES:,} bytes")
    if not inflater.eof:
        raise Damaged("a block is cut off")
    if not zlib.adler32(data).to_bytes(4, "big").startswith(inflater.unused_data):
        raise Damaged("a block has something behind its end")
    return data
