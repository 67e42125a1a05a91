"""One Airflow for all tests of the folder, and everything it does: days, a backfill, a kill, and the people's DAGs."""

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.settings import PROJECT
from tests.airflow.server import AirflowServer, wait_until
from tests.airflow.webhook import listening
from tests.python.built import BuiltHomes
from tests.python.people_service import PeopleService
from tests.python.s3_servers import S3Server, seaweedfs
from tests.python.sandbox import BUILT_DAY, Sandbox, make_database, make_service

# The long form of `make prove`: a day more, and every DAG by `airflow dags test`.
IS_LONG = "TRADEWINDS_PROVE" in os.environ
DAYS = [BUILT_DAY, "2021-01-02", *["2021-01-03"] * IS_LONG]
KILLED = DAYS[1]
PIPELINES = """
sources: [northwind, order_details, event_log, people, community]
targets: [duckdb, postgres]
site: duckdb
pipelines:
  - {name: daily, schedule: daily, sources: all, target: duckdb, retries: 2, retry_seconds: 2, owner: tests}
  - {name: log_weekly, schedule: weekly, sources: [event_log], target: postgres, owner: tests}
  - {name: log_monthly, schedule: monthly, sources: [event_log], target: postgres, owner: tests}
  - {name: broken, schedule: hourly, sources: [event_logs], target: oracle, retries: "1", owner: tests, colour: red}
"""

# Drawing the site takes half a minute of processor time, and other tests do it: here it is written down.
COMMAND = """#!/bin/sh
if [ "$1" = docs ]; then echo "$*" >> "{folder}/docs.txt"; exit 0; fi
exec {project}/.venv/bin/tradewinds "$@"
"""


@dataclass
class World:
    """What the tests look at: Airflow, the home it worked in, one in which a person did the same, and the rest."""

    airflow: AirflowServer
    by_airflow: Sandbox
    by_hand: Sandbox
    folder: Path
    service: PeopleService
    s3: S3Server
    told: list[str]
    secrets: list[str]
    killed: list[int]
    yesterday: str


@pytest.fixture(scope="session")
def world(
    server: EmbeddedPostgres, built_homes: BuiltHomes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A backfill begins, and while it is under way the day that is due, and a kill in its second build."""
    folder = tmp_path_factory.mktemp("airflow")
    sandbox, by_airflow_home = built_homes.copy(folder), folder / "by_airflow"
    by_airflow_home.mkdir()
    service = make_service(server, folder)
    (folder / "pipelines.yaml").write_text(PIPELINES)
    (folder / "tradewinds").write_text(COMMAND.format(folder=folder, project=PROJECT))
    (folder / "tradewinds").chmod(0o700)
    with seaweedfs(folder / "s3") as s3, listening() as (hook, told), service.running():
        key = service.key("writer")
        warehouse = urlsplit(make_database(server).url)
        settings = sandbox.settings | s3.settings
        settings |= {
            "TRADEWINDS_POSTGRES_HOST": warehouse.hostname,
            "TRADEWINDS_POSTGRES_PORT": str(warehouse.port),
            "TRADEWINDS_POSTGRES_USER": warehouse.username,
            "TRADEWINDS_POSTGRES_PASSWORD": warehouse.password,
            "TRADEWINDS_POSTGRES_DATABASE": warehouse.path[1:],
            "TRADEWINDS_PIPELINES": str(folder / "pipelines.yaml"),
            "TRADEWINDS_COMMAND": str(folder / "tradewinds"),
            "TRADEWINDS_ALERT_URL": hook,
            "TRADEWINDS_BACKUPS_URL": "s3://bucket/backups",
            "PEOPLE_API_URL": service.url,
            "PEOPLE_API_KEY": key,
            "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
            "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": "s3://bucket/task-logs",
            "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "tradewinds_logs",
            "AIRFLOW_CONN_TRADEWINDS_LOGS": json.dumps(
                {
                    "conn_type": "aws",
                    "login": s3.key,
                    "password": s3.secret,
                    "extra": {"endpoint_url": s3.endpoint},
                }
            ),
        }
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
        airflow, killed = AirflowServer(by_airflow_home, settings), []
        airflow.succeed("db", "migrate")
        airflow.succeed("dags", "reserialize")
        span = ["--from-date", DAYS[0], "--to-date", DAYS[-1], "--max-active-runs", str(len(DAYS))]
        airflow.succeed("backfill", "create", "--dag-id", "daily", *span)
        killer = Thread(target=_kill_once, args=(by_airflow_home, ["build", KILLED], killed), daemon=True)
        killer.start()
        secrets = [s3.secret, key, hook, urlsplit(sandbox.people.url).password]
        by_airflow = replace(sandbox, home=by_airflow_home)
        with airflow.running(), ThreadPoolExecutor(1) as meanwhile:
            by_hand = meanwhile.submit(_run_by_hand, sandbox, yesterday)
            wait_until(lambda: _has_settled(airflow), "every day is done", 3000)
            by_hand.result()
            yield World(airflow, by_airflow, sandbox, folder, service, s3, told, secrets, killed, yesterday)


def _has_settled(airflow: AirflowServer) -> bool:
    """Say whether the backfill's days, and one day of each schedule, have ended."""
    runs = {dag_id: airflow.runs(dag_id) for dag_id in ("daily", "log_weekly", "log_monthly")}
    states = [state for of_dag in runs.values() for state in of_dag.values()]
    return [len(of_dag) for of_dag in runs.values()] == [len(DAYS) + 1, 1, 1] and not {"queued", "running"} & set(
        states
    )


def _run_by_hand(sandbox: Sandbox, yesterday: str) -> None:
    """Run the other days in a home in which the first was run."""
    sandbox.succeed("backfill", "--from", DAYS[1], "--to", DAYS[-1])
    sandbox.succeed("run", "--run-date", yesterday)


def _kill_once(home: Path, words: list[str], killed: list[int]) -> None:
    """Send SIGKILL to the first `tradewinds` of this home with all of these words, a moment after it began."""
    while not killed:
        time.sleep(0.2)
        for process in Path("/proc").glob("[0-9]*"):
            try:
                arguments = (process / "cmdline").read_text().split("\0")
                is_ours = f"TRADEWINDS_HOME={home}\0" in (process / "environ").read_text()
            except OSError:
                continue
            if is_ours and any(word.endswith("/tradewinds") for word in arguments) and set(words) <= set(arguments):
                time.sleep(3)
                os.kill(int(process.name), signal.SIGKILL)
                killed.append(int(process.name))
                return
