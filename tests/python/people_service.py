"""The people service as tests run it: the command, in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import duckdb
import httpx

from ingestion.settings import PROJECT
from people_api.api.gate import KEY_HEADER
from people_api.database import open_engine
from people_api.keys import create_key
from tests.python.forks import Forks, Process

if TYPE_CHECKING:
    from tests.python.sandbox import Database

COUNTS = "select (select count(*) from {table}), (select count(*) from rejected_rows where table_name = '{table}')"


class PeopleService:
    """A home, a people database, and the service over them."""

    # The console script itself, for tests that look at the process.
    by_script = False

    def __init__(
        self,
        forks: Callable[[], Forks],
        environment: dict[str, str],
        home: Path,
        database: "Database",
        **settings: str,
    ):
        self.home, self.database, self._forks = home, database, forks
        self.settings = {"TRADEWINDS_HOME": str(home), "PEOPLE_DATABASE_URL": database.url, "PEOPLE_RATE_LIMIT": "0"}
        self.environment = environment | self.settings | settings
        self.url, self.process, self._keys, self._lock = "", None, {}, Lock()

    def start(self, *words: str) -> None:
        """Start the command, on a free port when no words are given, and wait until it says that it answers."""
        self.process = self.popen("serve", *(words or ("--port", "0")))
        line = self.process.stdout.readline()
        found = re.fullmatch(r"the people service answers at (http://127\.0\.0\.1:\d+)\n", line)
        assert found, line + self.process.stderr.read()
        self.url = found[1]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(how)
        self.process.communicate(timeout=60)
        return self.process.returncode

    @contextmanager
    def running(self) -> Iterator["PeopleService"]:
        """Keep the service up; whatever a test does to it, no process is left behind."""
        self.start()
        try:
            yield self
        finally:
            if self.process.poll() is None:
                self.stop()

    def popen(self, *words: str) -> subprocess.Popen[str] | Process:
        """Start `tradewinds people` with these words."""
        if not self.by_script:
            return self._forks().start(["people", *words], self.environment)
        return subprocess.Popen(
            [Path(sys.executable).with_name("tradewinds"), "people", *words],
            env=self.environment,
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, text: str = "", key: str = "") -> subprocess.CompletedProcess[str]:
        """Run `tradewinds people` to its end, as a client of this service."""
        before, self.environment = self.environment, self.environment | {"PEOPLE_API_URL": self.url}
        if key:
            self.environment["PEOPLE_API_KEY"] = key
        process = self.popen(*words)
        self.environment = before
        output, errors = process.communicate(text, timeout=120)
        return subprocess.CompletedProcess(words, process.returncode, output, errors)

    def key(self, role: str) -> str:
        """Return the one key of a role: batches' Idempotency-Keys are the holder's own."""
        with self._lock:
            if role not in self._keys:
                with open_engine(self.database.url) as engine:
                    self._keys[role] = create_key(engine, f"the {role}", role)
            return self._keys[role]

    def client(self, role: str | None = "admin", **options: Any) -> httpx.Client:
        """Return a client with the key of a role, or with none."""
        headers = {KEY_HEADER: self.key(role)} if role else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False, **options)

    def counts(self, table: str) -> tuple[int, int]:
        """Return how many rows, and how many rejects, the database has of a table."""
        return self.database.query(COUNTS.format(table=table))[0]

    @property
    def log_path(self) -> Path:
        return self.home / "logs" / "people-service.jsonl"

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the service's log."""
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]


def employee(id_: int, **changes: Any) -> dict[str, Any]:
    """Return a good employee of department 1 and job 1, but for the changes."""
    return {
        "id": id_,
        "name": f"Employee {id_}",
        "hiring_date": "2021-07-27T16:02:08Z",
        "department_id": 1,
        "job_id": 1,
    } | changes


def publish(home: Path, run_date: str, content_hash: str, hires: list[tuple], above_mean: list[tuple]) -> None:
    """Put a version of the hire marts where readers look, as a publish does: whole, by one rename."""
    folder = home / "published"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".draft-{content_hash}.duckdb"
    with duckdb.connect(str(draft)) as connection:
        connection.execute("create table main.published_version (run_date date, content_hash varchar)")
        connection.execute("insert into main.published_version values (?, ?)", [run_date, content_hash])
        connection.execute("create schema people")
        connection.execute(
            "create table people.hires_by_quarter (hire_year integer, department varchar, job varchar,"
            " q1 bigint, q2 bigint, q3 bigint, q4 bigint)"
        )
        connection.execute(
            "create table people.departments_above_mean (hire_year integer, id bigint,"
            " department varchar, hired bigint)"
        )
        for table, rows in (("hires_by_quarter", hires), ("departments_above_mean", above_mean)):
            for row in rows:
                connection.execute(f"insert into people.{table} values ({', '.join('?' * len(row))})", row)
    os.replace(draft, folder / "tradewinds.duckdb")  # noqa: PTH105
