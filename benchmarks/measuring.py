"""One command as a whole process: its seconds and its peak memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple


class Measure(NamedTuple):
    """Wall time in seconds, and the peak memory of the process in MiB."""

    seconds: float
    mebibytes: float


def measure(words: list, environment: dict[str, str]) -> Measure:
    """Run a command to its end; raises SystemExit with its last words when it fails.

    It is the child of a small process: Linux counts the memory of the parent before `exec` as the child's own.
    """
    starter = [sys.executable, "-I", "-S", __file__, *map(str, words)]
    done = subprocess.run(starter, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(starter[4:])}\n{done.stderr[-2000:]}")
    return Measure(*json.loads(done.stdout))


def main() -> None:
    """Run the command of the arguments, and print what it took."""
    with tempfile.TemporaryFile() as said:
        started = time.monotonic()
        process = subprocess.Popen(sys.argv[1:], stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = status  # so that Popen doesn't wait for it once more
        said.seek(0)
        if status:
            sys.exit(said.read().decode(errors="replace")[-2000:])
    print(json.dumps([seconds, usage.ru_maxrss / 1024]))


if __name__ == "__main__":
    main()
