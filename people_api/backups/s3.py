"""Backups in a bucket, by fsspec's own settings: `FSSPEC_S3_KEY`, `FSSPEC_S3_SECRET`, `FSSPEC_S3_ENDPOINT_URL`, …"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from urllib.parse import urlsplit

import fsspec
from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError

from ingestion.errors import BadRequest
from ingestion.redact import one_line, register_secret

_READ_BYTES = 8 * 2**20
_BUCKET = re.compile(r"[\w.-]+")  # and no key:secret@ before it


class S3Folder:
    """A prefix of a bucket whose files appear by one put each."""

    def __init__(self, url: str):
        parts = urlsplit(url)
        if not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
            raise BadRequest("TRADEWINDS_BACKUPS_URL: expected s3://bucket/prefix, and keys in FSSPEC_S3_… settings")
        self._prefix = f"{parts.netloc}{parts.path}".rstrip("/")
        # Listings that are kept would hide what another process puts there.
        self._bucket = fsspec.filesystem("s3", use_listings_cache=False)
        for secret in (self._bucket.secret, self._bucket.token):
            register_secret(str(secret or ""))

    def names(self) -> list[str]:
        with _as_os_errors():
            try:
                return [path.rsplit("/", 1)[1] for path in self._bucket.ls(self._prefix, detail=False)]
            except FileNotFoundError:
                if not self._bucket.exists(self._prefix.partition("/")[0]):
                    raise
                return []

    @contextmanager
    def draft(self) -> Iterator[Path]:
        with TemporaryDirectory() as folder:
            yield Path(folder) / "draft"

    def put(self, draft: Path, name: str) -> None:
        with _as_os_errors():
            if self._bucket.exists(f"{self._prefix}/{name}"):
                raise FileExistsError(f"{self.location(name)} exists")
            # `create` is a conditional put, where the server knows it.
            self._bucket.put_file(str(draft), f"{self._prefix}/{name}", mode="create")

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with _as_os_errors(), self._bucket.open(f"{self._prefix}/{name}", "rb", block_size=_READ_BYTES) as file:
            yield file

    def location(self, name: str) -> str:
        return f"s3://{self._prefix}/{name}"


@contextmanager
def _as_os_errors() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, HttpError) as error:
        raise OSError(one_line(error)) from error
