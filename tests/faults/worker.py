"""A process that forks one which extracts and loads days, for every request; it can kill that one at a line.

It imports everything once and never opens a connection itself, so that hundreds of forks take seconds each hundred.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import FrameType

from ingestion.settings import PROJECT
from tests.python.s3_servers import clean_environment

# The modules that read, land and load, at each of whose lines a process may be killed.
_TRACED = [
    *(f"{PROJECT}/ingestion/{folder}/" for folder in ("landing", "stores", "warehouse")),
    *(
        f"{PROJECT}/ingestion/{name}.py"
        for name in ("extract", "extraction", "load", "sharing", "changes", "files", "rejects", "digest")
    ),
]
_IMPORTED = (
    *("duckdb", "pyarrow.parquet", "s3fs", "dlt.destinations", "ingestion.extract", "ingestion.load"),
    *("ingestion.stores.s3", "ingestion.sources", "ingestion.warehouse.dlt_tables"),
)


class Worker:
    """The asking end."""

    def __init__(self, process: subprocess.Popen[str]):
        self._process = process

    def ask(self, *days: str, source: str = "order_details", steps: str = "extract load", **more: object) -> int:
        """Extract and load these days, and return the exit code.

        `more`: environment, target, constants of modules, seconds that its clock
        is ahead, a line to kill or to stop it at, a file to record its lines
        in, one for errors; for `prune` the last day of history.
        """
        request = {"days": days, "source": source, "steps": steps.split()} | more
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        self.child = int(self._process.stdout.readline())
        return 0 if more.get("is_left") else self.wait()

    def wait(self) -> int:
        """Return the exit code of a request that was left running."""
        return int(self._process.stdout.readline())


@contextmanager
def working(project: Path = PROJECT, *modules: str, python: str | Path = sys.executable) -> Iterator[Worker]:
    """Keep a worker of a project up, which imports these modules, too."""
    process = subprocess.Popen(
        [python, "-m", "tests.faults.worker", *modules],
        cwd=project,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Worker(process)
    finally:
        process.kill()
        process.communicate()


def _trace(on_line: Callable[[str, int], None]) -> None:
    traced = tuple(_TRACED)

    def line(frame: FrameType, event: str, _: object) -> object:
        if event == "line":
            on_line(frame.f_code.co_filename, frame.f_lineno)
        return line

    def call(frame: FrameType, event: str, _: object) -> object:
        return line if frame.f_code.co_filename.startswith(traced) else None

    threading.settrace(call)
    sys.settrace(call)


def _signal_at(place: list, number: signal.Signals) -> None:
    """Send this process a signal when it first comes to a line."""
    left = [tuple(place)]

    def on_line(file: str, line: int) -> None:
        if left == [(file, line)]:
            left.clear()
            os.kill(os.getpid(), number)

    _trace(on_line)


def _set_clock(ahead: timedelta) -> None:
    """Let the clock be ahead, for those who ask for the time and for signatures of requests to a bucket."""
    from botocore.compat import get_current_datetime as now

    real = time.time
    time.time = lambda: real() + ahead.total_seconds()
    for module in [*sys.modules.values()]:
        if vars(module).get("get_current_datetime") is now:
            module.get_current_datetime = lambda *options: now(*options) + ahead


def _type(words: list[str], traced: list[str], kill_after: int | None = None, count: str | None = None) -> None:
    """Run a command; kill it after so many lines of these modules, or write to a file how many there are."""
    from pipeline.cli import _run

    lines = 0

    def on_line(file: str, line: int) -> None:
        nonlocal lines
        lines += 1
        if lines == kill_after:
            os.kill(os.getpid(), signal.SIGKILL)

    _TRACED[:] = [f"{PROJECT}/{name}" for name in traced]
    _trace(on_line)
    _, failure = _run(words)
    sys.settrace(None)
    if count:
        Path(count).write_text(str(lines), encoding="utf-8")
    if failure:
        raise failure


def _do(request: dict) -> None:
    from fsspec.config import conf, set_conf_env

    from ingestion.extract import extract_source
    from ingestion.landing import Landing
    from ingestion.load import load_sources
    from ingestion.settings import Home
    from ingestion.sources import SOURCES
    from ingestion.warehouse import open_warehouse

    os.environ.update(request.get("environment", {}))
    set_conf_env(conf)  # fsspec reads its variables once, when it is imported
    for place, value in request.get("constants", {}).items():
        module, _, constant = place.rpartition(".")
        setattr(import_module(module), constant, value)
    if request.get("ahead"):
        _set_clock(timedelta(seconds=request["ahead"]))
    if typed := request.get("typed"):
        _type(**typed)
        return
    lines: dict[tuple[str, int], None] = {}
    if request.get("record"):
        _trace(lambda file, line: lines.setdefault((file, line)))
    elif request.get("kill"):
        _signal_at(request["kill"], signal.SIGKILL)
    elif request.get("stop"):
        _signal_at(request["stop"], signal.SIGSTOP)
    home, source = Home.from_environment(), SOURCES[request["source"]]
    warehouse = open_warehouse(request.get("target", "duckdb"), home)
    with warehouse.serving() if request["steps"] != ["extract"] else nullcontext():
        for day in request["days"]:
            if "extract" in request["steps"]:
                extract_source(source, day, home)
            if "load" in request["steps"]:
                load_sources([source], day, home, warehouse)
    if "prune" in request["steps"]:
        landing = Landing(home)
        for day in request["days"]:
            with landing.day_lock(source.name, day):
                landing.prune(source.name, day)
        landing.sweep_pruned()
        warehouse.unload_days(request["days"], request["until"])
    if request.get("record"):
        Path(request["record"]).write_text(json.dumps(list(lines)), encoding="utf-8")


def _serve() -> None:
    for module in (*_IMPORTED, *sys.argv[1:]):
        import_module(module)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            try:
                _do(json.loads(line))
            except BaseException as error:
                said = f"{type(error).__name__}: {error}"
                print(said, file=sys.stderr, flush=True)
                if errors := json.loads(line).get("errors"):
                    Path(errors).write_text(said, encoding="utf-8")
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
