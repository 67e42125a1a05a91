"""A home of one small source on three days, and what is in it by an independent count."""

import csv
import json
import os
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from io import StringIO
from pathlib import Path

import duckdb
import psycopg

from tests.faults.processes import wait_until_gone
from tests.faults.trials import Days
from tests.faults.worker import Worker
from tests.python.spark_tables import open_table

HEADER = "order_id,product_id,unit_price,quantity,discount"
DAYS = ("2021-01-01", "2021-01-02", "2021-01-03")
BAD = "10248,1,not a price,1,0"
_COLUMNS = HEADER.replace("unit_price", "unit_price::double").replace("discount", "discount::double")


def lines_of(day: int, rows: int = 4_000) -> str:
    """Return a day's file: from one to the next some rows change, some go, some are new, one can't be read.

    It is large enough for the next day to share its Parquet file.
    """
    kept = [number for number in range(rows + 3 * day) if number < rows - 2 * day or number >= rows]
    lines = [
        f"{number * 7919 % 104_729},{number % 77},{number**3 % 10_007}.25,{day if number % 997 == day else 9},0.05"
        for number in kept
    ]
    return "\n".join([HEADER, *lines, lines[5], BAD]) + "\n"


@cache
def counted(text: str) -> Counter:
    """Return the rows of a file as Python's own csv module reads them, without those that break its types."""
    rows = [tuple(row.values()) for row in csv.DictReader(StringIO(text))]
    return Counter(
        tuple(float(Decimal(value)) for value in row) for row in rows if row[2].replace(".", "", 1).isdigit()
    )


def landed_rows(landing: Path, table: dict, columns: str) -> Counter:
    """Return the rows of a table of a manifest, from the files that it lists, without those that it removes."""
    files, gone = ([str(landing / file["path"]) for file in table[kind]] for kind in ("files", "removed"))
    with duckdb.connect() as connection:
        query = f"select {columns}, filename, file_row_number from read_parquet(?, filename = true)"
        rows = connection.execute(query, [files]).fetchall()
        query = "select file_path, pos from read_parquet(?)"
        removed = set(connection.execute(query, [gone]).fetchall()) if gone else set()
    assert all(not Path(path).is_absolute() for path, _ in removed)
    return Counter(tuple(row) for *row, path, place in rows if (os.path.relpath(path, landing), place) not in removed)


@dataclass
class Small:
    """The home, its source file, and the commands run in it."""

    folder: Path
    worker: Worker
    settings: dict[str, str] = field(default_factory=dict)
    target: str = "duckdb"
    source: str = "lines.csv"
    files: dict[int, str] = field(default_factory=lambda: {day: lines_of(day) for day in range(3)})

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def environment(self) -> dict[str, str]:
        own = {"TRADEWINDS_HOME": str(self.home), "SOURCES__ORDER_DETAILS__PATH": str(self.folder / self.source)}
        return own | self.settings

    def do(self, *days: int, lines: int | None = None, **more: object) -> int:
        """Extract and load days, the source being as on a day (that of the last one)."""
        text = self.files[days[-1] if lines is None else lines]
        (self.folder / self.source).write_text(text, encoding="utf-8")
        named = [DAYS[day] for day in days]
        code = self.worker.ask(*named, environment=self.environment, target=self.target, **more)
        if not more.get("is_left"):
            self.wait()
        return code

    def wait(self) -> None:
        """Return once a killed command's Spark is gone, which may end a commit."""
        if self.target == "spark":
            wait_until_gone(set(), self.home)

    def keep_history(self) -> None:
        """Let the last day be in history, so that earlier ones may be pruned."""
        with duckdb.connect(str(self.home / "warehouse" / "tradewinds.duckdb")) as connection:
            history = f"select date '{DAYS[-1]}' as run_date, 'x' as inputs"
            connection.execute(f"create table if not exists raw_ops.history_days as {history}")

    def prune(self, *days: int, **more: object) -> int:
        return self.do(*days, steps="prune", until=DAYS[-1], **more)

    def copy(self, folder: Path) -> "Small":
        """Return a copy of the home, in place of what is there."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)

    def manifest(self, day: str) -> dict | None:
        path = self.landing / "_manifests" / "order_details" / f"{day}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def landed(self) -> Days:
        """Return the rows of every landed day, from the files that its manifest lists."""
        tables = {day: found["tables"]["order_details"] for day in DAYS if (found := self.manifest(day))}
        return {day: landed_rows(self.landing, table, _COLUMNS) for day, table in tables.items()}

    def raw(self) -> Days:
        """Return the rows of every loaded day."""
        query = f"select _run_date::text, {_COLUMNS} from raw_northwind.order_details"
        rows = []
        if self.target == "postgres":
            with psycopg.connect(self.settings["URL"]) as connection:
                rows = connection.execute(query.replace("::double", "::float8")).fetchall()
        elif self.target == "spark":
            rows = self._spark_rows()
        elif (path := self.home / "warehouse" / "tradewinds.duckdb").exists():
            # Without a table if it was killed before there was one.
            with suppress(duckdb.CatalogException), duckdb.connect(str(path), read_only=True) as connection:
                rows = connection.execute(query).fetchall()
        found: dict[str, Counter] = {}
        for day, *row in rows:
            found.setdefault(day, Counter())[tuple(map(float, row))] += 1
        return found

    def _spark_rows(self) -> list[tuple]:
        """Return the rows of every day that counts as loaded, which has as many rows and rejects as it is said to."""
        tables = (("raw_ops", "landed_tables"), ("raw_ops", "rejected_lines"), ("raw_northwind", "order_details"))
        with suppress(FileNotFoundError), duckdb.connect() as connection:
            for schema, name in tables:
                connection.register(name, open_table(self.home, schema, name).scan().to_arrow())
            counted = """
                select run_date::text, (row_count, rejected_count),
                    ((select count(*) from order_details where _run_date = run_date),
                     (select count(*) from rejected_lines where rejected_lines.run_date = landed_tables.run_date))
                from landed_tables"""
            for day, said, found in connection.execute(counted).fetchall():
                assert said == found, day
            query = "from order_details where _run_date in (select run_date from landed_tables)"
            return connection.execute(f"select _run_date::text, {_COLUMNS} {query}").fetchall()
        return []

    def state(self) -> Days:
        """Return what has landed and what is loaded, apart."""
        landed = {f"landed {day}": rows for day, rows in self.landed().items()}
        return landed | {f"loaded {day}": rows for day, rows in self.raw().items()}

    def expected(self, landed: dict[int, int], loaded: dict[int, int]) -> Days:
        """Return the state in which days have the rows of these files."""
        stages = {"landed": landed, "loaded": loaded}
        return {
            f"{stage} {DAYS[day]}": counted(self.files[file])
            for stage, days in stages.items()
            for day, file in days.items()
        }

    def end(self, *days: int) -> tuple:
        """Return what must be the same as without the fault: rows, hashes, rejects, and no file too many."""
        tables = {day: self.manifest(DAYS[day])["tables"]["order_details"] for day in days}
        hashes = {day: found["content_hash"] for day, found in tables.items()}
        rejected = {day: found["rejected_rows"] for day, found in tables.items()}
        return self.state(), hashes, rejected, self.strays(*days)

    def strays(self, *days: int) -> set[str]:
        """Return drafts, files that no manifest of these days lists, and those that are listed but not there."""
        listed = set()
        for found in (self.manifest(DAYS[day]) for day in days):
            table = found["tables"]["order_details"]
            listed |= {file["path"] for file in [*found["rejects"], *table["files"], *table["removed"]]}
        there = (path for path in self.landing.rglob("*") if path.suffix == ".parquet" or path.name.startswith("."))
        return {os.path.relpath(path, self.landing) for path in there} ^ listed
