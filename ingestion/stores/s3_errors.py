"""What goes wrong with a bucket, as an OSError that says where and holds no secret."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError

from ingestion.redact import one_line

_TAKEN = (409, 412)


@contextmanager
def as_os_errors(location: str) -> Iterator[None]:
    """Turn whatever s3fs, botocore and aiohttp raise into an OSError of one line, of the same kind where it was one."""
    try:
        yield
    except (FileNotFoundError, FileExistsError, PermissionError) as error:
        raise type(error)(f"{location}: {one_line(error)}") from error
    except (OSError, BotoCoreError, ClientError, HttpError) as error:
        raise OSError(f"{location}: {one_line(error)}") from error


def is_overtaken(error: OSError) -> bool:
    """Say whether a server has refused a put because its condition doesn't hold."""
    response = getattr(error.__cause__, "response", None) or {}
    return isinstance(error, FileExistsError) or response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _TAKEN
