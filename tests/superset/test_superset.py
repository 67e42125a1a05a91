"""Superset on the marts: a chart's rows, asked for by REST, are what SQL says of the same file."""

import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path

import duckdb

from ingestion.settings import PROJECT
from tests.python.s3_servers import free_ports
from tests.python.sandbox import Sandbox

PYTHON = PROJECT / ".venv-superset" / "bin" / "python"
SCRIPT = PROJECT / "deploy" / "superset" / "marts.py"
_SQL = "select ship_country, sum(net_amount_usd) from sales.orders_with_details group by 1 order by 1"


def _ask_chart(sandbox: Sandbox) -> dict[str, Decimal]:
    done = subprocess.run(
        [PYTHON, SCRIPT, "--once"],
        env=os.environ | {"TRADEWINDS_HOME": str(sandbox.home), "SUPERSET_PORT": str(free_ports(1)[0])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Superset hands out floats: exact here, because they hold fifteen digits and these sums have ten.
    return {row["ship_country"]: Decimal(str(row["net_amount_usd"])) for row in json.loads(done.stdout)}


def test_a_chart_shows_what_sql_says_after_every_publish(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "home")
    sandbox.succeed("run", "--run-date", "2021-01-01")
    first = _ask_chart(sandbox)
    assert first == dict(sandbox.published(_SQL))
    assert len(first) > 10
    assert oct((sandbox.home / "superset" / "password").stat().st_mode)[-3:] == "600"
    # Another file in its place, as a publish leaves it, is what the same chart shows next.
    published = sandbox.home / "published" / "tradewinds.duckdb"
    newer = published.with_name("newer.duckdb")
    newer.write_bytes(published.read_bytes())
    with duckdb.connect(str(newer)) as connection:
        connection.execute("delete from sales.orders_with_details where ship_country = 'Argentina'")
    newer.replace(published)
    assert _ask_chart(sandbox) == {country: net for country, net in first.items() if country != "Argentina"}


def test_nothing_published_is_said(tmp_path: Path) -> None:
    done = subprocess.run(
        [PYTHON, SCRIPT, "--once"],
        env=os.environ | {"TRADEWINDS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, "superset: nothing is published yet; run: tradewinds run\n")
