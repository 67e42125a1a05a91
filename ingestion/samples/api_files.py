"""The files that the sample API serves, with one JSON object a line."""

import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ingestion.samples.generate import ROWS_PER_BATCH, open_generator, replacing

RESOURCES = ("users", "posts", "comments", "albums", "photos", "todos")
_LINES_APART = 256


class FileRows:
    """A file's lines without line ends, read on request from the file as it was when this was created."""

    def __init__(self, path: Path):
        self._file = path.open("rb")
        self._starts, self._length = [0], 0  # where every nth line begins, and the last one ends
        while lines := list(islice(self._file, _LINES_APART)):
            self._starts.append(self._starts[-1] + sum(map(len, lines)))
            self._length += len(lines)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, self._length, _LINES_APART):
            yield from self[start : start + _LINES_APART]

    def __getitem__(self, place: slice) -> list[bytes]:
        start, end, _ = place.indices(self._length)
        first, last = start // _LINES_APART, -(-max(start, end) // _LINES_APART)
        offset = self._starts[first]
        lines = os.pread(self._file.fileno(), self._starts[last] - offset, offset).splitlines()
        return lines[start - first * _LINES_APART : end - first * _LINES_APART]

    def close(self) -> None:
        self._file.close()


def write_api_files(paths: dict[str, Path], scale: int) -> dict[str, int]:
    """Write each resource's file atomically, and return the number of rows by resource."""
    rows = {}
    with open_generator(scale) as generator:
        for resource, path in paths.items():
            rows[resource] = 0
            with (
                replacing(path, f"community {resource}") as unfinished,
                unfinished.open("w", encoding="utf-8", newline="\n") as lines,
            ):
                for batch in generator.table(f"community_{resource}").to_arrow_reader(ROWS_PER_BATCH):
                    rows[resource] += batch.num_rows
                    lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in batch.to_pylist())
    return rows
