"""One round: everything once, ours beside its limits and peers, each a whole process."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO

import psycopg

from benchmarks.measuring import Measure, measure
from benchmarks.world import BIN, PROJECT, Place

EVE, DAY, NEXT_DAY, THIRD_DAY = "2020-12-31", "2021-01-01", "2021-01-02", "2021-01-03"
Found = Iterator[tuple[str, Measure]]
# What every command of ours loads before it does anything.
START = "import dlt, pyarrow.parquet, pipeline.cli, ingestion.extract"
RAW_TABLES = """
select format('%I.%I', table_schema, table_name) from information_schema.tables
where table_schema like 'raw\\_%' and table_schema <> 'raw_ops' and table_name not like '\\_dlt%'
"""


def small_day(place: Place) -> Found:
    """A day of 830 orders beside `dbt build`, and the costs that don't depend on the data."""
    day = ("--run-date", DAY)
    place.begin_round()
    yield "start", measure([BIN / "python", "-c", START], place.environment)
    place.ours("extract", *day)
    yield "run landed", place.ours("run", *day)
    yield "build", place.ours("build", *day)
    place.dbt("parse", DAY)
    yield "dbt build", place.dbt("build", DAY, "--exclude-resource-type", "unit_test")


def whole_days(place: Place, with_peers: bool) -> Found:
    """The first two days, and what others make of the same sources."""
    place.begin_round()
    yield "extract orders", place.ours("extract", "--run-date", EVE, "--source", "northwind", "--table", "orders")
    target = place.scratch / "orders.copy"
    yield "copy orders", place.psql(place.source, f"\\copy orders to '{target}' with (format binary)\n")
    yield "extract lines", place.ours("extract", "--run-date", EVE, "--source", "order_details")
    yield "csv to parquet", place.limit("csv_to_parquet", place.details, place.scratch / "lines.parquet")
    yield "run first", place.ours("run", "--run-date", DAY)
    if with_peers:
        warehouse = place.database("pandas", is_new=True)
        yield "pandas", place.peer("pandas_steps.py", place.source, place.details, place.scratch, warehouse, DAY)
    yield "run second", place.ours("run", "--run-date", NEXT_DAY)
    if with_peers:
        yield "dlt", place.peer("dlt_defaults.py", place.source, place.details, place.scratch, DAY)


def steps(place: Place) -> Found:
    """A third day step by step, beside DuckDB and COPY on the same rows; call after `whole_days`."""
    day, scratch = ("--run-date", THIRD_DAY), place.scratch
    warehouse = place.home / "warehouse" / "tradewinds.duckdb"
    yield "extract", place.ours("extract", *day)
    yield "load", place.ours("load", *day)
    yield "insert", place.limit("insert_parquet", place.home / "landing", THIRD_DAY, scratch / "insert.duckdb")
    yield "build", place.ours("build", *day)
    bare = scratch / "bare" / warehouse.name
    bare.parent.mkdir()
    shutil.copy(warehouse, bare)
    place.dbt("compile", THIRD_DAY)
    place.limit("prepare_sql", place.folder / "dbt" / "manifest.json", scratch / "bare.json")
    yield "bare sql", place.limit("run_sql", bare, scratch / "bare.json")
    yield "check", place.ours("check", *day)
    yield "publish", place.ours("publish", *day)
    yield "copy tables", place.limit("copy_tables", warehouse, scratch / "copied.duckdb")
    yield "write exports", place.limit("write_exports", warehouse, scratch)


def into_postgres(place: Place) -> Found:
    """The third day's load into Postgres, beside binary COPY of the same tables; call after `steps`."""
    variables = place.warehouse()
    url = place.database("warehouse")
    yield "load postgres", place.ours("load", "--run-date", THIRD_DAY, **variables)
    with psycopg.connect(url) as connection:
        tables = {name: place.scratch / f"{name}.copy" for (name,) in connection.execute(RAW_TABLES)}
        connection.execute("create schema copied")
        for number, name in enumerate(tables):
            connection.execute(f"create table copied.t{number} (like {name})")
    copies = [f"\\copy {name} to '{path}' with (format binary)\n" for name, path in tables.items()]
    place.psql(url, "".join(copies))
    files = enumerate(tables.values())
    copies = [f"\\copy copied.t{number} from '{path}' with (format binary)\n" for number, path in files]
    yield "copy in", place.psql(url, "".join(copies))


def api(place: Place, before: str | None) -> Found:
    """An extract of the sample API, by the code as it is and, when asked for, as it was at a commit."""
    words, home = ("extract", "--run-date", DAY, "--source", "community"), place.folder / "api"
    yield "api", place.ours(*words, TRADEWINDS_HOME=str(home))
    if before:
        folder = place.folder / "before"
        if not folder.exists():
            archive = subprocess.run(["git", "archive", before], cwd=PROJECT, capture_output=True, check=True).stdout
            with tarfile.open(fileobj=BytesIO(archive)) as files:
                files.extractall(folder, filter="data")
        code = "import sys; sys.argv[0] = 'tradewinds'; from pipeline.cli import main; main()"
        environment = place.environment | {"TRADEWINDS_HOME": str(home), "PYTHONPATH": str(folder)}
        yield "api before", measure([BIN / "python", "-P", "-c", code, *words], environment)


def many_days(place: Place, count: int) -> Found:
    """Days one after the other in one home: `day 1` and on."""
    place.begin_round()
    for number in range(count):
        day = date.fromisoformat(DAY) + timedelta(days=number)
        yield f"day {number + 1}", place.ours("run", "--run-date", day.isoformat())
