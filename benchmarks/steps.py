"""Time and memory of extract, load and build as the data grows, beside the limit of each, in one run.

Run: .venv/bin/python benchmarks/steps.py [--scales 1 100 1000] [--repeats 3]

Whole processes, medians; memory is the peak of the process. The limits are what any tool could do at best:
`psql`'s binary COPY of the same tables to a file, and bare DuckDB reading the same Parquet into a new table.
Everything happens in a temporary home with generated data; scale 1 is Northwind's size.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.samples.generate import TABLES

BIN = Path(sys.executable).parent
DAY = "2021-01-01"


@dataclass(frozen=True)
class Measure:
    """A command's median wall time (seconds) and peak memory (MiB)."""

    seconds: float
    mebibytes: float


def measure(words: list[str], repeats: int, environment: dict[str, str]) -> Measure:
    """Run a command several times; raises CalledProcessError when it fails."""
    seconds, peaks = [], []
    for _ in range(repeats):
        started = time.monotonic()
        process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.monotonic() - started)
        peaks.append(usage.ru_maxrss / 1024)
        if status:
            raise subprocess.CalledProcessError(status, words[0])
    return Measure(statistics.median(seconds), statistics.median(peaks))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scales", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="tradewinds-benchmark-"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOURCES__")}
    environment["TRADEWINDS_HOME"] = str(home)
    tradewinds = str(BIN / "tradewinds")
    server = EmbeddedPostgres(home)
    print(f"{'scale':>6} {'what':<28} {'seconds':>8} {'MiB':>6}  ratio to its limit")
    try:
        with server.running():
            for scale in arguments.scales:
                subprocess.run(
                    [tradewinds, "sources", "sample", "--scale", str(scale)],
                    env=environment,
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
                limits = {
                    "extract": ("psql binary COPY", copy_limit(server, home, arguments.repeats)),
                }
                results = {}
                for step in ("extract", "load", "build"):
                    words = [tradewinds, step, "--run-date", DAY] + (["--accept-drift"] if step == "extract" else [])
                    results[step] = measure(words, arguments.repeats, environment)
                    if step == "extract":
                        limits["load"] = ("bare DuckDB read_parquet", load_limit(home, arguments.repeats))
                for step, result in results.items():
                    name, limit = limits.get(step, ("", None))
                    if limit:
                        print(f"{scale:>6} {name:<28} {limit.seconds:>8.2f}")
                    ratio = f"{result.seconds / limit.seconds:.1f}" if limit else ""
                    line = f"{scale:>6} {'tradewinds ' + step:<28} {result.seconds:>8.2f}"
                    print(f"{line} {result.mebibytes:>6.0f}  {ratio}".rstrip())
    finally:
        server.remove()
        shutil.rmtree(home)


def copy_limit(server: EmbeddedPostgres, home: Path, repeats: int) -> Measure:
    """Copy all tables with psql, in binary, to files."""
    script = home / "copy.sql"
    script.write_text("".join(f"\\copy {table} to '{home}/{table}.copy' with (format binary)\n" for table in TABLES))
    environment = os.environ | {"PGPASSWORD": server.url("northwind").split(":")[2].split("@")[0]}
    host, port = server.url("northwind").split("@")[1].split("/")[0].split(":")
    words = ["psql", "-q", "-h", host, "-p", port, "-U", "tradewinds", "-f", str(script), "northwind"]
    return measure(words, repeats, environment)


def load_limit(home: Path, repeats: int) -> Measure:
    """Read the landed files into a new database with nothing but DuckDB."""
    script = (
        "import duckdb, glob, os, sys; home = sys.argv[1]; path = home + '/limit.duckdb';"
        "os.path.exists(path) and os.remove(path); connection = duckdb.connect(path);"
        "[connection.execute(f\"create table t{i} as select * from read_parquet('{folder}/*/*.parquet')\")"
        " for i, folder in enumerate(glob.glob(home + '/landing/postgres/*') + glob.glob(home + '/landing/csv/*'))]"
    )
    return measure([sys.executable, "-c", script, str(home)], repeats, dict(os.environ))


if __name__ == "__main__":
    main()
