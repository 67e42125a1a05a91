"""The published file opens with the DuckDB clients that people still have, each in a folder of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.python.built import BuiltHomes

_READ = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    tables = connection.execute("select table_schema || '.' || table_name from information_schema.tables").fetchall()
    counts = {name: connection.execute(f"select count(*) from {name}").fetchone()[0] for (name,) in tables}
    net = connection.execute("select sum(net_amount_usd)::varchar from sales.fct_orders").fetchone()[0]
    comments = connection.execute("select table_name, column_name, comment from duckdb_columns() where comment <> ''")
    keys = "select table_name, constraint_column_names from duckdb_constraints() where constraint_type = 'PRIMARY KEY'"
    declared = sorted(map(repr, comments.fetchall() + connection.execute(keys).fetchall()))
    found = connection.execute("select count(*) from sales.fct_orders where order_id = 10248").fetchone()[0]
print(json.dumps({"version": duckdb.__version__, "counts": counts, "net": net, "declared": declared, "found": found}))
"""


@pytest.mark.parametrize("release", ["1.4", "1.5"])
def test_an_older_client_reads_every_mart(built_homes: BuiltHomes, tmp_path: Path, release: str) -> None:
    published = built_homes.original().home / "published" / "tradewinds.duckdb"
    expected = subprocess.run([sys.executable, "-c", _READ, published], capture_output=True, check=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", tmp_path]
    subprocess.run([*install, f"duckdb=={release}.*"], check=True)
    # What lies in the folder comes before the project's own client.
    environment = dict(os.environ) | {"PYTHONPATH": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", _READ, published], env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    seen = json.loads(found.stdout)
    assert seen.pop("version").startswith(f"{release}.")
    assert seen["counts"]["sales.fct_orders"] == 830
    assert len(seen["declared"]) > 300
    assert seen == {key: value for key, value in json.loads(expected.stdout).items() if key != "version"}
