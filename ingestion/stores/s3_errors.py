"""A bucket's errors as OSErrors that name the place and hold no secret."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError

from ingestion.redact import one_line

_TAKEN = (409, 412)


@contextmanager
def as_os_errors(location: str) -> Iterator[None]:
    """Convert every error of s3fs, botocore and aiohttp into a one-line OSError, of the same class if it was one."""
    try:
        yield
    except (FileNotFoundError, FileExistsError, PermissionError) as error:
        raise type(error)(f"{location}: {one_line(error)}") from error
    except (OSError, BotoCoreError, ClientError, HttpError) as error:
        raise OSError(f"{location}: {one_line(error)}") from error


def is_overtaken(error: OSError) -> bool:
    """Return whether a server refused a put because its condition failed."""
    response = getattr(error.__cause__, "response", None) or {}
    return isinstance(error, FileExistsError) or response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _TAKEN
