"""The published file opens with the DuckDB clients that people still have, each in an environment of its own."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.python.conftest import Sandbox

DAY = "2021-01-01"
_READ = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    tables = connection.execute("select table_schema || '.' || table_name from information_schema.tables").fetchall()
    counts = {name: connection.execute(f"select count(*) from {name}").fetchone()[0] for (name,) in tables}
    net = connection.execute("select sum(net_amount_usd)::varchar from sales.fct_orders").fetchone()[0]
print(json.dumps({"version": duckdb.__version__, "counts": counts, "net": net}))
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published file of a run on the samples."""
    sandbox = Sandbox(tmp_path_factory.mktemp("clients") / "home")
    sandbox.succeed("run", "--run-date", DAY)
    return sandbox.home / "published" / "tradewinds.duckdb"


@pytest.mark.parametrize("release", ["1.4", "1.5"])
def test_an_older_client_reads_every_mart(published: Path, tmp_path: Path, release: str) -> None:
    expected = subprocess.run([sys.executable, "-c", _READ, published], capture_output=True, check=True)
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", f"duckdb=={release}.*"], check=True)
    found = subprocess.run([python, "-c", _READ, published], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    seen = json.loads(found.stdout)
    assert seen.pop("version").startswith(f"{release}.")
    assert seen["counts"]["sales.fct_orders"] == 830
    assert seen == {key: value for key, value in json.loads(expected.stdout).items() if key != "version"}
