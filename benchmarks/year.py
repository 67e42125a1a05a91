"""A year of days at 8,300 orders, of which one in a hundred changes a day: what a day costs, and what all of them take.

Run: .venv/bin/python -m benchmarks.year [--days 365] [--home FOLDER]; writes YEAR.md and year.svg. Most days are
extracted and loaded in this process. Then the tenth day and the last are run in turn, each in a copy of the home.
"""

import argparse
import os
import shutil
import subprocess
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

SCALE, TENTH, ROUNDS = 10, 10, 3
COMMAND = PROJECT / ".venv" / "bin" / "tradewinds"


def run_date(day: int) -> str:
    return (date(2021, 1, 1) + timedelta(day - 1)).isoformat()


def change(url: str, lines: Path, day: int) -> None:
    """Change one order in a hundred, and one line in a hundred of the file."""
    with psycopg.connect(url) as connection:
        connection.execute("update orders set freight = freight + 1 where order_id %% 100 = %s", [day % 100])
    text = lines.read_text(encoding="utf-8").split("\n")
    for place in range(1 + day % 100, len(text) - 1, 100):
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


def live(home: Path, days: int) -> dict[int, dict[str, float]]:
    """Land and load every day; return the sizes by day, counted from 1.

    The first day is run, and those before the tenth and the last. The homes before those two are kept beside this one.
    """
    os.environ |= {"TRADEWINDS_HOME": str(home), "SOURCES__COMMUNITY__ENABLED": "false"}
    measure([COMMAND, "sources", "sample", "--scale", SCALE], dict(os.environ))
    (lines,) = home.rglob("order_details.csv")
    server, warehouse = EmbeddedPostgres(home), open_warehouse("duckdb", Home(home))
    sources = [source for source in SOURCES.values() if source.settings.is_there and source.name != "community"]
    taken: dict[int, dict[str, float]] = {}
    for day in range(1, days + 1):
        if day > 1:
            with server.running():
                change(server.url("northwind"), lines, day)
        if day in (TENTH, days):
            copy_home(home, home_before(home, day))
        if day in (1, TENTH - 1, days - 1):
            measure([COMMAND, "run", "--run-date", run_date(day)], dict(os.environ))
        else:
            with server.running():
                for source in sources:
                    extract_source(source, run_date(day), Home(home))
            load_sources(sources, run_date(day), Home(home), warehouse)
        taken[day] = sizes(home)
    return taken


def home_before(home: Path, day: int) -> Path:
    """Return the place of the home as it was when the sources had the day's changes, and nothing had read them."""
    return home.with_name(f"{home.name}.{day}")


def copy_home(home: Path, copy: Path) -> Path:
    """Copy a home with its files' owners, because the embedded Postgres may run as another user.

    All of it is on the disk afterwards, so that the next command doesn't wait for these writes.
    """
    subprocess.run(["cp", "-a", home, copy], check=True)
    os.sync()
    return copy


def run_in_turn(home: Path, days: list[int]) -> dict[int, float]:
    """Run each day in a copy of the home before it, one after the other, in rounds; return the best seconds by day."""
    seconds: dict[int, list[float]] = {day: [] for day in days}
    for _ in range(ROUNDS):
        for day in days:
            copy = copy_home(home_before(home, day), home.with_name(f"{home.name}.run"))
            words = [COMMAND, "run", "--run-date", run_date(day)]
            seconds[day].append(measure(words, os.environ | {"TRADEWINDS_HOME": str(copy)}).seconds)
            shutil.rmtree(copy)
    return {day: min(taken) for day, taken in seconds.items()}


def write_page(folder: Path, taken: dict[int, dict[str, float]], seconds: dict[int, float]) -> Path:
    lines = {kind: {day: found[kind] for day, found in taken.items()} for kind in ("landing", "warehouse")}
    draw_growth(folder / "year.svg", lines, title="megabytes by day")
    days, first = max(seconds), sum(taken[1].values())
    page = folder / "YEAR.md"
    rows = [
        f"| day {day} | {taken[day]['landing']:.1f} | {taken[day]['warehouse']:.1f} |"
        f" {f'{seconds[day]:.1f}' if day in seconds else ''} |"
        for day in (1, 2, TENTH, days)
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
                f"The last day takes {seconds[days] / seconds[TENTH]:.2f} times as long as the tenth.",
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
        Path(root).chmod(0o755)  # for the user of the embedded Postgres
        home = (arguments.home or Path(root) / "home").resolve()
        taken = live(home, arguments.days)
        seconds = run_in_turn(home, [TENTH, arguments.days])
        print(write_page(PROJECT / "benchmarks", taken, seconds))


if __name__ == "__main__":
    main()
