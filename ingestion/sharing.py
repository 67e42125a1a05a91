"""What a table's day is made of: files that earlier days list too, and new ones with what has changed since."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from ingestion.changes import Change, find_change, fold
from ingestion.digest import Digest
from ingestion.landing import File, Table
from ingestion.landing.rows import Rows, has_places

# A smaller file isn't worth two files of changes.
_LEAST_BYTES = 32_768
# How many times smaller than the whole table a change must be to be kept as one.
_WORTH = 4
# More files than that are folded into a few.
MOST_FILES = 32


@dataclass(frozen=True)
class Content:
    """A table's rows as `digest` counts them: those of earlier `files` without the `removed`, and a change."""

    digest: Digest
    change: Change
    files: list[File] = field(default_factory=list)
    removed: list[File] = field(default_factory=list)


def whole(draft: Path, digest: Digest) -> Content:
    """Return the content of a table that is written whole."""
    return Content(digest, Change(draft, digest.rows))


def unchanged(was: Table, digest: Digest) -> Content:
    """Return the content of a table that is the earlier one."""
    return Content(digest, Change(), was.files, was.removed)


def compared(was: Table, earlier: Rows, draft: Path, schema: pa.Schema, digest: Digest, name: str) -> Content:
    """Return a table's content, whose rows are in a draft: the change since an earlier day, or the whole draft.

    `name` is the landing path of its new file.
    """
    size = draft.stat().st_size
    if size >= _LEAST_BYTES and has_places(schema.names):
        change = find_change(earlier, draft, schema, at_most=digest.rows // _WORTH)
        if change and change.bytes * _WORTH <= size:
            content = _changed(was, earlier, change, schema, "", name, draft)
            if content.digest.content_hash == digest.content_hash:
                return replace(content, digest=digest)
    return whole(draft, digest)


def merged(
    was: Table, earlier: Rows, draft: Path, schema: pa.Schema, figures: str, name: str, key: tuple[str, ...]
) -> Content | None:
    """Return the content of an earlier day with a draft's rows, which replace those with the same key.

    Without a key the rows are added. None if the places of its rows can't be told. The digest has these figures (SQL).
    """
    if not has_places(schema.names):
        return None
    change = find_change(earlier, draft, schema, key=key)
    assert change, "any number of rows may differ"
    return _changed(was, earlier, change, schema, figures, name, draft)


def _changed(
    was: Table, earlier: Rows, change: Change, schema: pa.Schema, figures: str, name: str, draft: Path
) -> Content:
    """Apply a change to an earlier day; fold its files when they are many, or half of their rows are removed."""
    now = Rows(
        [*earlier.files, *filter(None, [change.added])],
        [*earlier.names, *([name] if change.added else [])],
        [*earlier.removed, *filter(None, [change.removed])],
    )
    digest = now.digest(schema.names, figures)
    files, removed = was.files, was.removed
    kept = len(files)
    if sum(file.rows for file in removed) + change.removed_rows > digest.rows:
        kept = 0
    elif kept >= MOST_FILES:
        # The first files have most of the rows.
        kept = next((place for place, file in enumerate(files) if file.rows * _WORTH < digest.rows), kept)
    if kept < len(files):
        change = fold(now, kept, schema, draft)
        files, removed = files[:kept], []
    return Content(digest, change, files, removed)
