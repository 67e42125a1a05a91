"""A day of the example, from its file to the published mart."""

import csv
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

PROJECT = Path(__file__).resolve().parents[2]
DAY = "2021-01-02"


def tradewinds(home: Path, *words: str) -> str:
    """Type a command in a home, expect that it ends well, and return what it prints."""
    command = [str(Path(sys.executable).with_name("tradewinds")), *words]
    environment = os.environ | {"TRADEWINDS_HOME": str(home)}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the day was run."""
    home = tmp_path_factory.mktemp("home")
    tradewinds(home, "run", "--run-date", DAY)
    return home


def query(home: Path, statement: str) -> list[tuple]:
    with duckdb.connect(home / "published" / "tradewinds.duckdb", read_only=True) as published:
        return published.execute(statement).fetchall()


def test_every_ride_of_the_file_is_in_the_mart(home: Path) -> None:
    with (PROJECT / "example" / "rides.csv").open(newline="") as file:
        rides = list(csv.DictReader(file))
    long = sum(int(ride["duration_minutes"]) >= 60 for ride in rides)
    assert query(home, "select count(*), sum(fare_eur), count(*) filter (where is_long) from rides.fct_rides") == [
        (len(rides), sum(Decimal(ride["fare_eur"]) for ride in rides), long)
    ]


def test_rows_and_fares_agree_from_the_file_to_the_mart(home: Path) -> None:
    totals = (
        "select is_reconciled, read_count = mart_count, source_amount_sum = mart_amount_sum from ops.fct_reconciliation"
    )
    assert query(home, totals) == [(True, True, True)]
