"""A bucket, with fsspec's settings: `FSSPEC_S3_KEY`, `FSSPEC_S3_SECRET`, `FSSPEC_S3_ENDPOINT_URL`, …"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import fsspec

from ingestion.redact import register_secret
from ingestion.settings import check_bucket_url
from ingestion.stores.base import Overtaken
from ingestion.stores.conditions import Conditions, find_conditions, put_if
from ingestion.stores.lease import leased
from ingestion.stores.s3_errors import as_os_errors
from ingestion.stores.scratch import scratch_folder

_READ_BYTES = 8 * 2**20
# Bounds the memory of an upload, whatever the file's size.
_UPLOAD = {"chunksize": 16 * 2**20, "max_concurrency": 2}
# Keys of other servers too; anything shorter may be an ordinary word, which must stay readable.
_KEY_CHARACTERS = 16
# Longer than another process needs between requesting a file and putting it.
_SETTLING_SECONDS = 0.5
_KEPT_COPIES = 2


class S3Store:
    """A prefix of a bucket; each file appears by one put."""

    def __init__(self, url: str, work: Path):
        self._root = check_bucket_url("a bucket's URL", url).removeprefix("s3://").strip("/")
        self.work = work
        # Cached listings would hide files that another process puts there.
        self._bucket = fsspec.filesystem("s3", use_listings_cache=False)
        for secret in (self._bucket.secret, self._bucket.token, os.environ.get("AWS_SECRET_ACCESS_KEY")):
            register_secret(str(secret or ""))
        if len(key := str(self._bucket.key or "")) >= _KEY_CHARACTERS:
            register_secret(key)

    def location(self, name: str = "") -> str:
        return f"s3://{self._path(name)}"

    @cached_property
    def _conditions(self) -> Conditions:
        with as_os_errors(self.location()):
            return find_conditions(self._bucket, self._path("_locks"))

    def caution(self) -> str | None:
        if self._conditions.creates and self._conditions.replaces:
            return None
        return (
            f"{self.location()}: the server ignores conditional puts, so what is put is read back after "
            f"{_SETTLING_SECONDS} s instead; keep others from landing the same day"
        )

    def holds(self, name: str) -> bool:
        return not name.startswith("/") and ".." not in PurePosixPath(name).parts

    def names(self, folder: str = "") -> list[str]:
        with as_os_errors(self.location(folder)):
            found = self._bucket.find(self._path(folder))
            if not found and not self._bucket.exists(self._root.partition("/")[0]):
                raise FileNotFoundError("there is no such bucket")
        # Some servers keep an emptied folder and list it as a file.
        below = (path for path in found if path.startswith(f"{self._path(folder)}/") and not path.endswith("/"))
        return sorted(path.removeprefix(f"{self._root}/") for path in below)

    def size(self, name: str) -> int | None:
        head = self._head(name)
        return head["ContentLength"] if head else None

    def version(self, name: str) -> str | None:
        head = self._head(name)
        return head["ETag"] if head else None

    def age(self, name: str) -> float | None:
        """Return the seconds since a file was put, by the server's clock; None when there is no such file."""
        head = self._head(name)
        if head is None:
            return None
        put: datetime = head["LastModified"]
        return (parsedate_to_datetime(head["ResponseMetadata"]["HTTPHeaders"]["date"]) - put).total_seconds()

    def read(self, name: str) -> str:
        with as_os_errors(self.location(name)):
            return self._bucket.cat_file(self._path(name)).decode()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with (
            as_os_errors(self.location(name)),
            self._bucket.open(self._path(name), "rb", block_size=_READ_BYTES) as file,
        ):
            yield file

    @contextmanager
    def local(self, names: list[str]) -> Iterator[list[Path]]:
        with scratch_folder(self.work) as folder:
            paths = [folder / f"{number}-{PurePosixPath(name).name}" for number, name in enumerate(names)]
            for name, path in zip(names, paths, strict=True):
                self._fetch(name, path)
            yield paths

    def latest(self, name: str) -> Path | None:
        folder = self.work / "copies" / _digest(self.location(name))
        while version := self.version(name):
            copy = folder / f"{_digest(version)}-{PurePosixPath(name).name}"
            if copy.exists():
                return copy
            with scratch_folder(self.work) as own:
                self._fetch(name, own / copy.name)
                if self.version(name) != version:
                    continue
                folder.mkdir(parents=True, exist_ok=True)
                (own / copy.name).replace(copy)
            newest_first = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
            for older in newest_first[_KEPT_COPIES:]:  # a reader that has opened one can go on reading it
                older.unlink(missing_ok=True)
            return copy
        return None

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        with scratch_folder(self.work) as folder:
            yield folder / PurePosixPath(name).name

    def add(self, file: Path, name: str) -> None:
        with as_os_errors(self.location(name)):
            # A server without conditions would replace it.
            if self._bucket.exists(self._path(name)):
                raise FileExistsError("exists")
            self._bucket.put_file(str(file), self._path(name), mode="create", **_UPLOAD)

    def put(self, draft: Path, name: str) -> None:
        with as_os_errors(self.location(name)):
            self._bucket.put_file(str(draft), self._path(name), **_UPLOAD)

    def copy(self, name: str, to: str) -> None:
        with as_os_errors(self.location(to)):
            self._bucket.cp_file(self._path(name), self._path(to))

    def write(self, name: str, text: str) -> None:
        with as_os_errors(self.location(name)):
            self._bucket.pipe_file(self._path(name), text.encode())

    def swap(self, name: str, text: str, version: str | None) -> str:
        if self._conditions.replaces if version else self._conditions.creates:
            condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
            with as_os_errors(self.location(name)):
                put_if(self._bucket, self._path(name), text.encode(), **condition)
        elif self.version(name) == version:
            self.write(name, text)
            time.sleep(_SETTLING_SECONDS)
        # Read the file to learn who put it: the answer may be lost, or the server may not support conditions.
        now, found = self.version(name), None
        with suppress(FileNotFoundError, UnicodeDecodeError):
            found = self.read(name)
        if found != text or now is None:
            raise Overtaken(f"{self.location(name)} has changed meanwhile")
        return now

    def remove(self, name: str) -> None:
        with as_os_errors(self.location(name)), suppress(FileNotFoundError):
            self._bucket.rm_file(self._path(name))

    def prune(self, folder: str) -> None:
        """Do nothing: a bucket has no folders."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold a lease; see ingestion.stores.lease."""
        return leased(self, name)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    def _head(self, name: str) -> dict | None:
        bucket, _, key = self._path(name).partition("/")
        with as_os_errors(self.location(name)):
            try:
                return self._bucket.call_s3("head_object", Bucket=bucket, Key=key)
            except FileNotFoundError:
                return None

    def _fetch(self, name: str, path: Path) -> None:
        with as_os_errors(self.location(name)):
            self._bucket.get_file(self._path(name), str(path))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
