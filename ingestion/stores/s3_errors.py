"""A bucket's errors as OSErrors that name the place and hold no secret."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError

from ingestion.redact import one_line


@contextmanager
def as_os_errors(location: str) -> Iterator[None]:
    """Convert every error of s3fs, botocore and aiohttp into a one-line OSError, of the same class if it was one."""
    try:
        yield
    except (FileNotFoundError, FileExistsError, PermissionError) as error:
        raise type(error)(f"{location}: {one_line(error)}") from error
    except (OSError, BotoCoreError, ClientError, HttpError) as error:
        raise OSError(f"{location}: {one_line(error)}") from error
