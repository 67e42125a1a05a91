"""Two days, a rerun of the first, a load and a worker killed: Spark's rows are DuckDB's, decimals included."""

import subprocess
import time
from contextlib import suppress
from pathlib import Path

from ingestion.settings import PROJECT
from tests.python.sandbox import BAD_LINES, BUILT_DAY, NEXT_DAY
from tests.spark.conftest import Spark, kill_worker

MARTS = "^(sales|marketplace|people|community|ops|quarantine|snapshots|intermediate|seeds)$"
RAW = "^raw_(northwind|marketplace|people|community)$"
# Northwind has no rows of them, and the sample's first day no rejects.
EMPTY = dict.fromkeys(("raw_northwind.customer_customer_demo", "raw_northwind.customer_demographics"), (0, 0, 0))
NO_REJECTS = dict.fromkeys(("quarantine.rejected_rows", "raw_people.rejected_rows"), (0, 0, 0))
# Wider types, in place and not, and a new column.
WIDER = (
    "alter table orders alter column order_id type bigint; "
    "alter table customers add column credit_limit numeric(12, 2) default 12.5; "
    "alter table shippers alter column shipper_id type numeric(6, 0)"
)


def test_a_first_day_is_duckdbs(spark: Spark) -> None:
    spark.succeed("load", "--run-date", BUILT_DAY)
    spark.succeed("build", "--run-date", BUILT_DAY)
    spark.duckdb.succeed("build", "--run-date", BUILT_DAY)
    assert spark.differences(f"{MARTS}|{RAW}").items() <= (EMPTY | NO_REJECTS).items()


def test_a_day_whose_load_is_killed_is_not_loaded(spark: Spark) -> None:
    with spark.duckdb.order_details.open("a") as file:
        file.write("\n".join(BAD_LINES) + "\n")
    spark.duckdb.northwind.execute(WIDER)
    changed = ["--source", "northwind", "--source", "order_details", "--accept-drift"]
    spark.duckdb.succeed("extract", "--run-date", NEXT_DAY, *changed)
    load, until = spark.start("load", "--run-date", NEXT_DAY), time.monotonic() + 120
    is_begun = False
    while not is_begun:
        assert time.monotonic() < until
        assert load.poll() is None, load.communicate()
        with suppress(FileNotFoundError):  # a commit replaces a table's version hint
            is_begun = spark.has_loaded(NEXT_DAY, "customers", "raw_northwind")
    load.kill()
    load.wait()
    assert not spark.has_loaded(NEXT_DAY)
    assert spark.has_loaded(BUILT_DAY)


def test_a_day_of_a_changed_source_is_duckdbs_though_a_worker_is_killed(
    spark: Spark, cluster: tuple[subprocess.Popen, str]
) -> None:
    spark.succeed("load", "--run-date", NEXT_DAY)
    build = spark.start("build", "--run-date", NEXT_DAY)
    assert build.stdout is not None
    for line in build.stdout:
        if "customers_snapshot" in line:
            kill_worker(cluster[0])
            break
    told = build.stdout.read()
    assert build.wait() == 0, told
    for step in ("load", "build"):
        spark.duckdb.succeed(step, "--run-date", NEXT_DAY)
    found = spark.differences(f"{MARTS}|{RAW}")
    assert found.items() <= (EMPTY | {"raw_people.rejected_rows": (0, 0, 0)}).items()


def test_a_rerun_of_the_first_day_by_a_typed_dbt_rewinds_history(spark: Spark) -> None:
    spark.succeed("load", "--run-date", BUILT_DAY)
    target = spark.duckdb.home / "dbt_target"
    spark.succeed(
        "build", "--vars", f"{{run_date: {BUILT_DAY}}}", "--target-path", str(target), "--log-path", str(target),
        tool="dbt",
    )  # fmt: skip
    spark.duckdb.succeed("build", "--run-date", BUILT_DAY)
    assert spark.differences(MARTS).items() <= {"quarantine.rejected_rows": (0, 0, 0)}.items()


def test_dbt_without_ansi_mode_is_refused(spark: Spark, tmp_path: Path) -> None:
    (tmp_path / "dbt_spark_ansi.py").touch()
    words = ["seed", "--target-path", str(tmp_path), "--log-path", str(tmp_path)]
    code, told = spark.run(*words, tool="dbt", PYTHONPATH=str(tmp_path))
    assert code != 0
    assert "ANSI" in told
    assert "make spark-setup" in told


def test_an_environment_without_spark_names_the_one_that_has_it(spark: Spark) -> None:
    command = [PROJECT / ".venv" / "bin" / "tradewinds", "load", "--run-date", BUILT_DAY]
    done = subprocess.run(command, env=spark.settings, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "make spark-setup" in done.stderr
