"""A version published on Spark is DuckDB's, for clients without Spark too; a killed publish changes nothing."""

import os
import subprocess
from pathlib import Path

import duckdb

from ingestion.settings import PROJECT
from pipeline.dbt.project import published_marts
from tests.python.sandbox import BUILT_DAY
from tests.spark.conftest import Spark

_PYTHON = PROJECT / ".venv-spark" / "bin" / "python"


def test_a_published_version_is_duckdbs_for_pyiceberg_and_duckdb(spark: Spark) -> None:
    exports = {path.name: path.read_bytes() for path in (spark.duckdb.home / "exports" / BUILT_DAY).iterdir()}
    if not spark.is_built(BUILT_DAY):
        for step in ("load", "build"):
            spark.succeed(step, "--run-date", BUILT_DAY)
    assert "72 met, 0 not met" in spark.succeed("check", "--run-date", BUILT_DAY, "--stage", "arrivals")
    assert "36 met, 0 not met" in spark.succeed("check", "--run-date", BUILT_DAY)
    spark.succeed("publish", "--run-date", BUILT_DAY)
    # The next build replaces tables of every kind.
    words = ["run", "--select", "fct_orders", "fct_events", "dim_shippers", "--vars", f"{{run_date: {BUILT_DAY}}}"]
    target = str(spark.duckdb.home / "dbt_target")
    spark.succeed(*words, "--target-path", target, "--log-path", target, tool="dbt")
    assert {path.name: path.read_bytes() for path in (spark.duckdb.home / "exports" / BUILT_DAY).iterdir()} == exports
    (current,) = spark.rows("tradewinds", "published").to_pylist()
    version = current["version"]
    assert current["run_date"] == BUILT_DAY
    file = spark.duckdb.home / "published" / "versions" / f"{version}.duckdb"
    with duckdb.connect(str(file), read_only=True) as published:
        published.execute("set TimeZone = 'UTC'")
        for mart in published_marts():
            rows = spark.table(*mart.place)
            tagged = rows.scan(snapshot_id=rows.refs()[version].snapshot_id).to_arrow()
            published.register("tagged", tagged)
            columns = ", ".join(f'"{name}"' for name in tagged.column_names)
            counted = " + ".join(
                f"(select count(*) from (select {columns} from {one} except all select {columns} from {other}))"
                for one, other in ((mart.relation, "tagged"), ("tagged", mart.relation))
            )
            differing, count = published.execute(f"select {counted}, count(*) from {mart.relation}").fetchall()[0]
            # `ops` has a second day if another test has loaded it.
            assert mart.is_of_operations or differing == 0, mart.relation
            assert (tagged.num_rows > 0) == (count > 0), mart.relation


def test_versions_of_tiny_marts_and_publishes_killed_between_their_writes(tmp_path: Path) -> None:
    own = {
        "TRADEWINDS_HOME": str(tmp_path), "TRADEWINDS_SPARK_MASTER": "local[1]", "TRADEWINDS_SPARK_PARTITIONS": "1",
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
    }  # fmt: skip
    words = [_PYTHON, "-P", PROJECT / "tests" / "spark" / "tiny_marts.py"]
    done = subprocess.run(words, env=os.environ | own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
