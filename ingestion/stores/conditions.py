"""Conditional puts, where the first writer wins. Support is tested on the server, not derived from its name."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

_CONDITION_FAILED = (409, 412)


@dataclass(frozen=True)
class Conditions:
    """Whether a server honours `If-None-Match: *` (`creates`) and `If-Match` (`replaces`) in a put."""

    creates: bool
    replaces: bool


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
        return not put_if(files, path, b"", **condition)
    except OSError:  # the server rejects conditions as unknown
        return False


def put_if(files: Any, path: str, content: bytes, **condition: str) -> bool:
    """Return whether the file was put; False if the condition failed."""
    bucket, _, key = path.partition("/")
    try:
        files.call_s3("put_object", Bucket=bucket, Key=key, Body=content, **condition)
    except OSError as error:
        response = getattr(error.__cause__, "response", None) or {}
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if isinstance(error, FileExistsError) or status in _CONDITION_FAILED:
            return False
        raise
    return True
