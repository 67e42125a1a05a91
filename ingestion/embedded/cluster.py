"""Making a cluster, and reading what its programs had to say."""

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
    """Run initdb in a new folder and rename it, so that a killed one leaves no half cluster."""
    for unfinished in cluster.parent.glob("cluster-*"):
        # An initdb that outlived its command may still write here: what is left goes next time.
        shutil.rmtree(unfinished, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix="cluster-", dir=cluster.parent))
    # initdb reads the password as the server's account, which can't see our own file.
    password_file = work / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password, encoding="ascii")
    account.take_over(password_file)
    account.take_over(work)
    command = [binaries / "initdb", "-D", work / "cluster", "-U", SUPERUSER]
    command += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"]
    # The built-in provider sorts the same on every system, whatever locales it has.
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    with open_log(log) as output:
        failed = account.spawn(command, output).wait() != 0
    if failed:
        raise StepFailed(f"embedded Postgres can't be made: {read_last_error(log)}")
    (work / "cluster").rename(cluster)
    shutil.rmtree(work)


def open_log(log: Path) -> BinaryIO:
    """Open the log anew, for our own eyes only."""
    log.touch(mode=0o600)
    return log.open("wb")


def read_last_error(log: Path) -> str:
    """The log's last error, or its last line when it has none."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    # A line begins with its time and process, which say nothing here.
    errors = [found[0] for line in lines if (found := ERROR.search(line))]
    return (errors or lines or ["its log is empty"])[-1].strip()
