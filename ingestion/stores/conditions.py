"""Conditional puts, where the first writer wins. Support is tested on the server, not derived from its name."""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

from ingestion.stores.s3_errors import is_overtaken

# Longer than another process needs between requesting a file and putting it.
_SETTLING_SECONDS = 0.5


@dataclass(frozen=True)
class Conditions:
    """Whether a server honours `If-None-Match: *` (`creates`) and `If-Match` (`replaces`) in a put."""

    creates: bool
    replaces: bool

    def caution(self, location: str) -> str | None:
        """Return a warning about missing guarantees, or None."""
        if self.creates and self.replaces:
            return None
        return (
            f"{location}: the server ignores conditional puts, so what is put is read back after "
            f"{_SETTLING_SECONDS} s instead; keep others from landing the same day"
        )

    def put(self, files: Any, path: str, content: bytes, version: str | None) -> None:
        """Replace a version of a file, conditionally if the server can; the caller reads back the result."""
        knows = self.replaces if version else self.creates
        condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
        if knows:
            _put(files, path, content, condition)
            return
        if _etag(files, path) == version:
            _put(files, path, content, {})
            time.sleep(_SETTLING_SECONDS)


@cache
def find_conditions(files: Any, folder: str) -> Conditions:
    """Test the server once a process, by puts below a folder that it must refuse; raises the errors of s3fs."""
    probe = f"{folder}/probe-{uuid4().hex}"
    files.pipe_file(probe, b"")
    try:
        return Conditions(_refuses(files, probe, IfNoneMatch="*"), _refuses(files, probe, IfMatch='"0"'))
    finally:
        files.rm_file(probe)


def _refuses(files: Any, path: str, **condition: str) -> bool:
    try:
        return not _put(files, path, b"", condition)
    except OSError:  # the server rejects conditions as unknown
        return False


def _put(files: Any, path: str, content: bytes, condition: dict[str, str]) -> bool:
    """Return whether the file was put; False if the condition failed."""
    bucket, _, key = path.partition("/")
    try:
        files.call_s3("put_object", Bucket=bucket, Key=key, Body=content, **condition)
    except OSError as error:
        if is_overtaken(error):
            return False
        raise
    return True


def _etag(files: Any, path: str) -> str | None:
    bucket, _, key = path.partition("/")
    try:
        return files.call_s3("head_object", Bucket=bucket, Key=key)["ETag"]
    except FileNotFoundError:
        return None
