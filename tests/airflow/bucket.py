"""A real S3 server with one bucket, from a wheel."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.python.conftest import clean_environment

KEY, SECRET = "AKIDTEST", "s3cret-of-the-test"


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving_bucket(folder: Path) -> Iterator[str]:
    """Serve `folder/bucket` as the bucket of that name; hands out the server's URL."""
    (folder / "bucket").mkdir(parents=True)
    port, rclone = free_port(), Path(sys.executable).with_name("rclone")
    server = subprocess.Popen(
        [rclone, "serve", "s3", folder, f"--addr=127.0.0.1:{port}", f"--auth-key={KEY},{SECRET}"],
        env=clean_environment() | {"RCLONE_DIR_CACHE_TIME": "0s"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        assert server.poll() is None, f"the bucket's server ended by itself: {server.returncode}"
    finally:
        server.kill()
        server.wait()
