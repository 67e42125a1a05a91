"""Create a cluster, and read its log."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

from ingestion.embedded.account import Account
from ingestion.errors import StepFailed

SUPERUSER = "tradewinds"
ERROR = re.compile(r"(FATAL|PANIC|ERROR): .*|^initdb: error: .*")


def create_cluster(cluster: Path, log: Path, account: Account, binaries: Path, password: str) -> None:
    """Run initdb in a new folder and rename it, so that a kill leaves no half-made cluster."""
    for unfinished in cluster.parent.glob("cluster-*"):
        # An initdb that outlived its command may still write here: the next call removes the rest.
        shutil.rmtree(unfinished, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix="cluster-", dir=cluster.parent))
    # initdb reads the password as the server's account, which can't read our file.
    password_file = work / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password, encoding="ascii")
    account.take_over(password_file)
    account.take_over(work)
    command: list[str | Path] = [binaries / "initdb", "-D", work / "cluster", "-U", SUPERUSER]
    command += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"]
    # The built-in provider sorts the same on every system.
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    with open_log(log) as output:
        failed = account.spawn(command, output).wait() != 0
    if failed:
        raise StepFailed(f"embedded Postgres can't be made: {read_last_error(log)}")
    (work / "cluster").rename(cluster)
    shutil.rmtree(work)


def open_log(log: Path) -> BinaryIO:
    """Truncate and open the log, readable only by us."""
    log.touch(mode=0o600)
    return log.open("wb")


def read_last_error(log: Path) -> str:
    """Return the log's last error, or its last line if it has none."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    # Skip the time and process id that start each line.
    errors = [found[0] for line in lines if (found := ERROR.search(line))]
    return (errors or lines or ["its log is empty"])[-1].strip()
