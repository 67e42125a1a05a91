"""Airflow as `make airflow` starts it, in a home of its own, and a client of its REST API."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

from ingestion.settings import PROJECT
from tests.python.s3_servers import clean_environment, free_ports

Found = TypeVar("Found")
_FOLDER = PROJECT / "deploy" / "airflow"


def wait_until(look: Callable[[], Found], what: str, seconds: float) -> Found:
    """Return the first true answer; fails with the words when none came in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(3)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


class AirflowServer:
    """A home, its settings, and Airflow over them."""

    def __init__(self, home: Path, settings: dict[str, str]):
        self.home, self.folder, self._settings = home, home / "airflow", settings
        self.port, logs_port = free_ports(2)
        inherited = {name: value for name, value in clean_environment().items() if not name.startswith("AIRFLOW")}
        own = {
            "TRADEWINDS_HOME": str(home),
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(logs_port),
            # On a busy machine a file of DAGs takes longer to read than Airflow thinks.
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
            "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "600",
        }
        self.environment = inherited | own | settings
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False)

    def elsewhere(self, home: Path, **settings: str) -> "AirflowServer":
        """Return another Airflow with the same settings and these, in another home."""
        return AirflowServer(home, self._settings | settings)

    def succeed(self, *words: str) -> str:
        """Run Airflow's command, expect exit 0, and return its output."""
        done = subprocess.run(
            [_FOLDER / "airflow", *words], env=self.environment, capture_output=True, text=True, cwd=PROJECT
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self) -> Iterator["AirflowServer"]:
        """Keep Airflow up; no process of it is left behind."""
        with (self.home / "airflow.out").open("w") as output:
            process = subprocess.Popen(
                [_FOLDER / "start"], env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
            try:
                wait_until(self._is_up, "Airflow answers", 600)
                yield self
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(30)
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _is_up(self) -> bool:
        passwords = self.folder / "simple_auth_manager_passwords.json.generated"
        with suppress(httpx.HTTPError, FileNotFoundError, json.JSONDecodeError):
            login = {"username": "admin", "password": json.loads(passwords.read_text())["admin"]}
            answer = self._http.post("/auth/token", json=login)
            if answer.is_success:
                self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
                return True
        return False

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """Return an answer of the REST API."""
        return self._http.get(f"/api/v2/{path}", params=parameters).raise_for_status().json()

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Trigger a DAG by hand with these params; return the run's id."""
        body = {"logical_date": None, "conf": conf}
        return self._http.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body).raise_for_status().json()["dag_run_id"]

    def runs(self, dag_id: str) -> dict[str, str]:
        """Return the state of each run of a DAG by its id."""
        runs = self.get(f"dags/{dag_id}/dagRuns", limit=100)["dag_runs"]
        return {run["dag_run_id"]: run["state"] for run in runs}

    def tasks(self, dag_id: str = "~", run_id: str = "~") -> list[dict[str, Any]]:
        """Return the task instances of a run, or of all."""
        return self.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=500)["task_instances"]

    def finish(self, dag_id: str, run_id: str, seconds: float = 600) -> str:
        """Wait until a run has ended; return its state."""

        def look() -> str | None:
            state = self.runs(dag_id).get(run_id)
            return state if state in ("success", "failed") else None

        return wait_until(look, f"{dag_id} {run_id} ends", seconds)

    def log_of(self, task: dict[str, Any]) -> str:
        """Return a task's log of its last try, as the REST API gives it."""
        path = f"dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}/logs"
        answer = self.get(f"{path}/{task['try_number']}", map_index=task["map_index"], full_content=True)
        return json.dumps(answer["content"])
