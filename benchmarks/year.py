"""A year of days at 8,300 orders, of which one in a hundred changes a day: what a day costs, and what all of them take.

Run: .venv/bin/python -m benchmarks.year [--days 365] [--home FOLDER]; writes YEAR.md and year.svg. The first ten days
and the last two are whole runs. The days between are extracted and loaded in this process; the last run but one replays
their history.
"""

import argparse
import os
import tempfile
from datetime import date, timedelta
from pathlib import Path

import psycopg

from benchmarks.measuring import measure
from benchmarks.plot import draw_growth
from benchmarks.world import PROJECT
from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.extract import extract_source
from ingestion.load import load_sources
from ingestion.settings import Home
from ingestion.sources import SOURCES
from ingestion.warehouse import open_warehouse

SCALE, RUNS = 10, 10
COMMAND = PROJECT / ".venv" / "bin" / "tradewinds"


def run_date(number: int) -> str:
    return (date(2021, 1, 1) + timedelta(number)).isoformat()


def change(url: str, lines: Path, number: int) -> None:
    """Change one order in a hundred, and one line in a hundred of the file."""
    with psycopg.connect(url) as connection:
        connection.execute("update orders set freight = freight + 1 where order_id %% 100 = %s", [number % 100])
    text = lines.read_text(encoding="utf-8").split("\n")
    for place in range(1 + number % 100, len(text) - 1, 100):
        fields = text[place].split(",")
        fields[3] = str(int(fields[3]) + 1)
        text[place] = ",".join(fields)
    lines.write_text("\n".join(text), encoding="utf-8")


def sizes(home: Path) -> dict[str, float]:
    """Return the megabytes of landing and of the warehouse."""
    return {
        folder: sum(file.stat().st_size for file in (home / folder).rglob("*") if file.is_file()) / 1e6
        for folder in ("landing", "warehouse")
    }


def live(home: Path, days: int) -> tuple[dict[int, dict[str, float]], dict[int, float]]:
    """Run, or extract and load, every day; return the sizes and the seconds of runs by day, counted from 1."""
    environment = os.environ | {"TRADEWINDS_HOME": str(home), "SOURCES__COMMUNITY__ENABLED": "false"}
    os.environ |= environment
    measure([COMMAND, "sources", "sample", "--scale", SCALE], environment)
    (lines,) = home.rglob("order_details.csv")
    server, warehouse = EmbeddedPostgres(home), open_warehouse("duckdb", Home(home))
    sources = [source for source in SOURCES.values() if source.settings.is_there and source.name != "community"]
    taken: dict[int, dict[str, float]] = {}
    seconds: dict[int, float] = {}
    with server.running():
        for number in range(days):
            if number:
                change(server.url("northwind"), lines, number)
            if number < RUNS or number >= days - 2:
                words = [COMMAND, "run", "--run-date", run_date(number)]
                seconds[number + 1] = measure(words, environment).seconds
            else:
                for source in sources:
                    extract_source(source, run_date(number), Home(home))
                load_sources(sources, run_date(number), Home(home), warehouse)
            taken[number + 1] = sizes(home)
    return taken, seconds


def write_page(folder: Path, taken: dict[int, dict[str, float]], seconds: dict[int, float]) -> Path:
    lines = {kind: {day: found[kind] for day, found in taken.items()} for kind in ("landing", "warehouse")}
    draw_growth(folder / "year.svg", lines, title="megabytes by day")
    days, first = max(taken), sum(taken[1].values())
    page = folder / "YEAR.md"
    rows = [
        f"| day {day} | {found['landing']:.1f} | {found['warehouse']:.1f} | {seconds.get(day, float('nan')):.1f} |"
        for day, found in taken.items()
        if day in (1, 2, RUNS, days)
    ]
    page.write_text(
        "\n".join(
            [
                "# A year of days",
                "",
                f"{days} days at 8,300 orders; one in a hundred orders and lines changes a day. {os.cpu_count()} cores."
                " How it is measured: `benchmarks/year.py`.",
                "",
                "![Megabytes by day](year.svg)",
                "",
                "| | landing, MB | warehouse, MB | run, s |",
                "|---|--:|--:|--:|",
                *rows,
                "",
                f"Together they take {sum(taken[days].values()) / first:.1f} times the space of the first day. "
                f"The last day takes {seconds[days] / seconds[RUNS]:.2f} times as long as the tenth.",
                "",
            ]
        ),
        encoding="utf-8",
    )
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--home", type=Path, help="an empty folder; the default is a temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tradewinds-year-") as root:
        print(write_page(PROJECT / "benchmarks", *live(arguments.home or Path(root) / "home", arguments.days)))


if __name__ == "__main__":
    main()
