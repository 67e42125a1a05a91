"""What the sample API serves, as files of one JSON object a line."""

import json
import os
from contextlib import suppress
from pathlib import Path

from ingestion.errors import StepFailed
from ingestion.samples.generate import ROWS_PER_BATCH, describe, open_generator

RESOURCES = ("users", "posts", "comments", "albums", "photos", "todos")


def write_api_files(paths: dict[str, Path], scale: int) -> dict[str, int]:
    """Write each resource's file, whole or not at all, and return rows by resource."""
    rows = {}
    with open_generator(scale) as generator:
        for resource, path in paths.items():
            unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with unfinished.open("w", encoding="utf-8", newline="\n") as lines:
                    rows[resource] = 0
                    for batch in generator.table(f"community_{resource}").to_arrow_reader(ROWS_PER_BATCH):
                        rows[resource] += batch.num_rows
                        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in batch.to_pylist())
                unfinished.replace(path)
            except OSError as error:
                raise StepFailed(f"sample community {resource}: {describe(error)}") from None
            finally:
                with suppress(OSError):  # there may be no folder
                    unfinished.unlink()
    return rows
