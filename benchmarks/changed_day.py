"""A day of 1 million orders of which one in a hundred is new, beside the same day as the first: what a day costs.

Run: .venv/bin/python -m benchmarks.changed_day [--scale 1205]; writes CHANGED_DAY.md. Orders, lines and events are
added, and the last orders are updated. Orders are read from `order_id` on, the CSV files from where they ended.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg

from benchmarks.measuring import measure
from benchmarks.world import PROJECT
from benchmarks.year import COMMAND, copy_home, run_date
from ingestion.embedded.postgres import EmbeddedPostgres

ROUNDS, SHARE, LOOK_BACK = 3, 100, 1000
STEPS = ["extract", "load", "check_arrivals", "build", "check_marts", "publish"]
MADE = ["landing", "warehouse", "published", "exports", "runs"]
SETTINGS = {
    "SOURCES__COMMUNITY__ENABLED": "false",
    "SOURCES__NORTHWIND__TABLES__ORDERS__CURSOR": "order_id",
    "SOURCES__NORTHWIND__TABLES__ORDERS__LOOK_BACK": str(LOOK_BACK),
    "SOURCES__PEOPLE__TABLES__EMPLOYEES__CURSOR": "id",
}


def change(home: Path) -> None:
    """Repeat the last hundredth of the orders with their lines, and every hundredth event, under new numbers."""
    server = EmbeddedPostgres(home)
    with server.running(), psycopg.connect(server.url("northwind")) as connection:
        ((last, count),) = connection.execute("select max(order_id), count(*) from orders").fetchall()
        added = count // SHARE
        rows = f"select * from orders where order_id > {last - added}"
        connection.execute(f"create temp table added as {rows}")
        connection.execute(f"update added set order_id = order_id + {added}")
        connection.execute("insert into orders select * from added")
        connection.execute(f"update orders set freight = freight + 1 where order_id > {last + added - LOOK_BACK}")
    repeat(home / "sources" / "order_details.csv", ",", lambda order: order > last - added, added)
    repeat(home / "sources" / "event_log.csv", ";", lambda event: event % SHARE == 0, 10**9)


def repeat(file: Path, delimiter: str, is_meant: Callable[[int], bool], step: int) -> None:
    """Append the lines whose first field, a number, is meant, with a number that is `step` higher."""
    with file.open(encoding="utf-8") as lines:
        next(lines)
        fields = (line.partition(delimiter) for line in lines)
        added = [f"{int(number) + step}{mark}{rest}" for number, mark, rest in fields if is_meant(int(number))]
    with file.open("a", encoding="utf-8") as end:
        end.writelines(added)


def run(home: Path, day: int) -> dict[str, float]:
    """Run a day; return the seconds of the whole process and of its steps."""
    words = [COMMAND, "run", "--run-date", run_date(day)]
    seconds = {"whole day": measure(words, os.environ | SETTINGS | {"TRADEWINDS_HOME": str(home)}).seconds}
    for step in STEPS:
        entry = json.loads((home / "runs" / run_date(day) / f"{step}.json").read_text(encoding="utf-8"))
        began, ended = (datetime.fromisoformat(entry[moment]) for moment in ("started", "ended"))
        seconds[step] = (ended - began).total_seconds()
    return seconds


def run_in_turn(home: Path) -> dict[str, dict[str, float]]:
    """Run the second day in copies of the home, after the first day and as the first; return the best rounds."""
    rounds: dict[str, list[dict[str, float]]] = {"changed": [], "first": []}
    for _ in range(ROUNDS):
        for kind, found in rounds.items():
            copy = copy_home(home, home.with_name(f"{home.name}.run"))
            for folder in MADE if kind == "first" else []:
                shutil.rmtree(copy / folder)
            found.append(run(copy, 2))
            shutil.rmtree(copy)
    return {kind: min(found, key=lambda seconds: seconds["whole day"]) for kind, found in rounds.items()}


def write_page(folder: Path, seconds: dict[str, dict[str, float]], scale: int) -> Path:
    changed, first = seconds["changed"], seconds["first"]
    rows = [
        f"| {what} | {changed[what]:.1f} | {first[what]:.1f} | {changed[what] / first[what]:.2f} |" for what in first
    ]
    page = folder / "CHANGED_DAY.md"
    page.write_text(
        "\n".join(
            [
                "# A day that changes one row in a hundred",
                "",
                f"{scale * 830:,} orders with their lines and events, {os.cpu_count()} cores, best of {ROUNDS} rounds"
                " in turn. How it is measured: `benchmarks/changed_day.py`.",
                "",
                "| | after the day before, s | as the first day, s | ratio |",
                "|---|--:|--:|--:|",
                *rows,
                "",
            ]
        ),
        encoding="utf-8",
    )
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, default=1205, help="times Northwind's 830 orders")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tradewinds-changed-") as root:
        Path(root).chmod(0o755)  # for the user of the embedded Postgres
        home = Path(root) / "home"
        environment = os.environ | SETTINGS | {"TRADEWINDS_HOME": str(home)}
        measure([COMMAND, "sources", "sample", "--scale", arguments.scale], environment)
        measure([COMMAND, "run", "--run-date", run_date(1)], environment)
        change(home)
        print(write_page(PROJECT / "benchmarks", run_in_turn(home), arguments.scale))


if __name__ == "__main__":
    main()
