"""Load and build on DuckDB and on Spark as orders grow: seconds, and the peak memory of each kind of process.

Run: .venv/bin/python -m benchmarks.engines [--orders 10000 …] [--root FOLDER], after `make spark-setup`; writes
ENGINES.md. Both engines load the same landed files of Northwind and its order lines. Spark runs on the cluster of
`make spark`: a driver, and two executors with a core and a heap of 1 GiB each.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.measuring import measure
from benchmarks.world import PROJECT, Place
from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.samples.generate import fill_northwind, write_order_details

SIZES = (10_000, 100_000, 1_000_000, 10_000_000, 50_000_000)
DAY, SOURCES = "2021-01-01", ["--source", "northwind", "--source", "order_details"]
ENVIRONMENTS = {"duckdb": ".venv", "spark": ".venv-spark"}
ORDERS_A_PARTITION = 250_000
# What Spark's processes have in their command lines.
PROCESSES = {"driver": "pyspark-shell", "executor": "CoarseGrainedExecutorBackend"}
_PAGE = """# DuckDB and Spark

The load and the build of a first day of Northwind and its order lines, with all tests: {cores} cores, one round. A
build includes dbt's first parse of the project. Memory is the peak of the largest process, in MiB. Spark has a driver
and two executors, each with a core and a heap of 1 GiB. How it is measured: `benchmarks/engines.py`.

| | DuckDB | | | Spark | | | |
|--:|--:|--:|--:|--:|--:|--:|--:|
| orders | load, s | build, s | MiB | load, s | build, s | driver, MiB | each executor, MiB |
{rows}
"""


def land(root: Path, orders: int) -> Place:
    """Land a day with so many orders, unless the folder has it; what it came from is removed."""
    server = EmbeddedPostgres(root / "server")
    with server.running():
        place = Place(server, root, orders)
        if not (place.home / "landing").is_dir():
            place.home.mkdir(parents=True)
            fill_northwind(place.source, place.scale)
            write_order_details(place.details, place.scale)
            place.ours("extract", "--run-date", DAY, *SOURCES)
            place.details.unlink()
    server.remove()
    return place


@contextmanager
def cluster(place: Place, engine: str) -> Iterator[dict[str, str]]:
    """Run the cluster of `make spark` for Spark, and yield the settings that select it."""
    if engine != "spark":
        yield {}
        return
    words = [PROJECT / ".venv-spark" / "bin" / "python", PROJECT / "deploy" / "spark" / "cluster.py"]
    with subprocess.Popen(words, env=place.environment, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            name, _, url = process.stdout.readline().split()[1].partition("=")
            partitions = max(4, place.orders // ORDERS_A_PARTITION)
            yield {name: url, "TRADEWINDS_SPARK_PARTITIONS": str(partitions)}
        finally:
            process.terminate()


@contextmanager
def watching(home: Path) -> Iterator[dict[str, float]]:
    """Note the peak memory in MiB of the largest driver and of the largest executor of a home."""
    peaks: dict[str, float] = defaultdict(float)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError, IndexError):  # it has ended
                    look(process)

    def look(process: Path) -> None:
        words = (process / "cmdline").read_bytes()
        for kind in (kind for kind, name in PROCESSES.items() if name.encode() in words):
            if f"TRADEWINDS_HOME={home}".encode() in (process / "environ").read_bytes().split(b"\0"):
                status = (process / "status").read_text(encoding="utf-8")
                peaks[kind] = max(peaks[kind], int(status.partition("VmHWM:")[2].split()[0]) / 1024)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        ended.set()
        thread.join()


def measure_engine(place: Place, engine: str, settings: dict[str, str]) -> dict[str, float]:
    """Load and build; return the seconds of both, and the peaks in MiB."""
    command, found = PROJECT / ENVIRONMENTS[engine] / "bin" / "tradewinds", {}
    with watching(place.home) as peaks:
        for step in ("load", "build"):
            words = [command, step, "--run-date", DAY, "--target", engine, *SOURCES]
            took = measure(words, place.environment | settings)
            found[step] = took.seconds
            peaks["process"] = max(peaks["process"], took.mebibytes)
    return found | peaks


def write_page(log: Path, folder: Path) -> Path:
    """Write the newest measures of each size."""
    lines = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    newest = {(orders, engine): found for orders, engine, found in lines}
    rows = []
    for orders in sorted({orders for orders, _ in newest}):
        ours, spark = newest[orders, "duckdb"], newest[orders, "spark"]
        times = [f"{found[step]:.0f}" for found in (ours, spark) for step in ("load", "build")]
        memory = [f"{ours['process']:,.0f}", f"{spark['driver']:,.0f}", f"{spark['executor']:,.0f}"]
        cells = [*times[:2], memory[0], *times[2:], *memory[1:]]
        rows.append(f"| {orders:,} | {' | '.join(cells)} |")
    page = folder / "ENGINES.md"
    page.write_text(_PAGE.format(cores=os.cpu_count(), rows="\n".join(rows)), encoding="utf-8")
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, nargs="+", default=SIZES)
    parser.add_argument("--engine", nargs="+", choices=ENVIRONMENTS, default=list(ENVIRONMENTS))
    parser.add_argument("--root", type=Path, help="keeps landed days and measures for the next time")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tradewinds-engines-") as temporary:
        root = (arguments.root or Path(temporary)).resolve()
        root.mkdir(exist_ok=True)
        root.chmod(0o755)  # for the user of the embedded Postgres
        for orders in arguments.orders:
            place = land(root, orders)
            for engine in arguments.engine:
                shutil.rmtree(place.home / "warehouse", ignore_errors=True)
                with cluster(place, engine) as settings:
                    found = measure_engine(place, engine, settings)
                print(f"{orders:>12,}  {engine:<7}", *(f"{what} {found[what]:.1f}" for what in found), flush=True)
                with (root / "engines.jsonl").open("a", encoding="utf-8") as log:
                    log.write(json.dumps([orders, engine, found]) + "\n")
            shutil.rmtree(place.home / "warehouse", ignore_errors=True)
        print(write_page(root / "engines.jsonl", PROJECT / "benchmarks"))


if __name__ == "__main__":
    main()
