"""How fast the people service takes rows in, beside the limit and beside what pandas does, in one run.

Run: .venv/bin/python benchmarks/people.py [--rows 100000] [--clients 1 16 64] [--batches 300] [--repeats 3]

Rows per second into the same table of the same Postgres: by the service's batches of 1,000 over HTTP, each row judged;
by one psycopg COPY, the limit; and by pandas' `to_sql`, in the batches of 1,000 that it is given in most scripts. Each
round does all of them, so that a slow moment hits them alike; medians of the rounds. Then the latency of a batch of
1,000 with 1, 16 and 64 clients at once, each with a connection of its own.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pandas
import psycopg
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from ingestion.embedded.postgres import EmbeddedPostgres

BIN = Path(sys.executable).parent
BATCH = 1_000
COLUMNS = ("id", "name", "hiring_date", "department_id", "job_id")


def make_rows(first: int, count: int) -> list[dict]:
    """Return employees with ids from `first`."""
    return [
        {
            "id": first + number,
            "name": f"Employee {first + number}",
            "hiring_date": f"2021-{number % 12 + 1:02}-{number % 28 + 1:02}T08:00:00Z",
            "department_id": number % 12 + 1,
            "job_id": number % 180 + 1,
        }
        for number in range(count)
    ]


def empty(url: str) -> None:
    """Take all employees out."""
    with psycopg.connect(url) as connection:
        connection.execute("truncate employees")


def copy(url: str, rows: list[dict]) -> None:
    """Insert by one COPY."""
    statement = f"copy employees ({', '.join(COLUMNS)}) from stdin"
    with psycopg.connect(url) as connection, connection.cursor() as cursor, cursor.copy(statement) as out:
        for row in rows:
            out.write_row([row[column] for column in COLUMNS])


def to_sql(url: str, rows: list[dict]) -> None:
    """Insert by pandas, a thousand rows at a time."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    for start in range(0, len(rows), BATCH):
        frame = pandas.DataFrame(rows[start : start + BATCH])
        frame["hiring_date"] = pandas.to_datetime(frame["hiring_date"])
        frame.to_sql("employees", engine, if_exists="append", index=False)
    engine.dispose()


def post(client: httpx.Client, rows: list[dict]) -> float:
    """Send one batch and return its seconds; raises when a row was not accepted."""
    started = time.perf_counter()
    answer = client.post("/v1/employees/batch", json=rows).raise_for_status().json()
    assert answer["accepted"] == len(rows), answer
    return time.perf_counter() - started


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def latencies(base: str, key: str, clients: int, batches: int) -> tuple[list[float], float]:
    """Send batches from so many clients at once; return each one's seconds, and rows per second of all together."""
    seconds: list[float] = []

    def send(place: int) -> None:
        with httpx.Client(base_url=base, headers={"X-API-Key": key}, timeout=120) as client:
            for number in range(place, batches, clients):
                seconds.append(post(client, make_rows(number * BATCH + 1, BATCH)))

    threads = [threading.Thread(target=send, args=(place,)) for place in range(clients)]

    def run_all() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    total = timed(run_all)
    assert len(seconds) == batches
    return seconds, batches * BATCH / total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--batches", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="tradewinds-benchmark-"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PEOPLE_", "SOURCES__"))}
    environment |= {"TRADEWINDS_HOME": str(home), "PEOPLE_RATE_LIMIT": "0"}
    tradewinds = str(BIN / "tradewinds")
    server = EmbeddedPostgres(home)
    with server.running():
        subprocess.run([tradewinds, "people", "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
        key = subprocess.run(
            [tradewinds, "people", "key", "create", "--name", "benchmark", "--role", "writer"],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        url = server.url("people")
        with psycopg.connect(url) as connection:
            connection.execute("insert into departments (id, name) select g, 'D' || g from generate_series(1, 12) as g")
            connection.execute("insert into jobs (id, name) select g, 'J' || g from generate_series(1, 180) as g")
        service = subprocess.Popen(
            [tradewinds, "people", "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            assert service.stdout
            base = service.stdout.readline().split()[-1]
            compare(url, base, key, arguments.rows, arguments.repeats)
            print(f"\n{'clients':>8} {'p50 ms':>8} {'p99 ms':>8} {'rows/s':>10}   a batch of {BATCH:,} rows")
            for clients in arguments.clients:
                empty(url)
                seconds, rate = latencies(base, key, clients, arguments.batches)
                cuts = statistics.quantiles(seconds, n=100)
                print(f"{clients:>8} {cuts[49] * 1000:>8.1f} {cuts[98] * 1000:>8.1f} {rate:>10,.0f}")
        finally:
            service.terminate()
            service.wait()
    server.remove()


def compare(url: str, base: str, key: str, count: int, repeats: int) -> None:
    """Print rows per second of each way in, and as a share of COPY's."""
    rows = make_rows(1, count)
    with httpx.Client(base_url=base, headers={"X-API-Key": key}, timeout=120) as client:
        ways = {
            "COPY (psycopg), the limit": lambda: copy(url, rows),
            "people service, batches": lambda: [
                post(client, rows[start : start + BATCH]) for start in range(0, count, BATCH)
            ],
            "pandas to_sql": lambda: to_sql(url, rows),
        }
        rounds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, way in ways.items():
                empty(url)
                rounds[name].append(timed(way))
    limit = statistics.median(rounds["COPY (psycopg), the limit"])
    print(f"{'way in':<28} {'rows/s':>10} {'of COPY':>8}   median of {repeats} rounds, {count:,} rows")
    for name, seconds in rounds.items():
        median = statistics.median(seconds)
        print(f"{name:<28} {count / median:>10,.0f} {limit / median:>8.2f}")


if __name__ == "__main__":
    main()
