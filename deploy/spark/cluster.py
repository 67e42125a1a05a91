"""A Spark cluster on this machine, a master and two workers, until Ctrl-C; prints how to use it (make spark)."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyspark

from ingestion.settings import Home
from ingestion.warehouse.spark_session import find_java

_WORKERS, _LONGEST = 2, 60
_DEPLOY = "org.apache.spark.deploy"


def main() -> None:
    """Start the processes, say so, and stop them when this one is interrupted or one of them ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    find_java()
    folder = Home.from_environment().warehouse / "spark-cluster"
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url, processes = f"spark://127.0.0.1:{port}", []
    try:
        processes.append(_start(folder, "master", f"{_DEPLOY}.master.Master", "--port", str(port)))
        _wait_for(folder, "master", "New state: ALIVE")
        for number in range(1, _WORKERS + 1):
            size = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder)]
            processes.append(_start(folder, f"worker {number}", f"{_DEPLOY}.worker.Worker", *size, url))
        for number in range(1, _WORKERS + 1):
            _wait_for(folder, f"worker {number}", "Successfully registered with master")
        print(f"export TRADEWINDS_SPARK_MASTER={url}  # {_WORKERS} workers, until Ctrl-C", flush=True)
        processes[0].wait()
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _start(folder: Path, name: str, main_class: str, *words: str) -> subprocess.Popen:
    command = [
        Path(pyspark.__file__).with_name("bin") / "spark-class",
        main_class,
        "--host",
        "127.0.0.1",
        "--webui-port",
        "0",
    ]
    settings = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"}
    # A session of its own, so that Ctrl-C reaches this process alone.
    with (folder / f"{name}.log").open("w") as log:
        return subprocess.Popen([*command, *words], stdout=log, stderr=log, env=settings, start_new_session=True)


def _wait_for(folder: Path, name: str, said: str) -> None:
    log, until = folder / f"{name}.log", time.monotonic() + _LONGEST
    while said not in log.read_text():
        if time.monotonic() > until:
            sys.exit(f"the {name} hasn't started; see {log}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
