"""`airflow dags test`: no scheduler, no API, one process, as a person tries a DAG or a CI does."""

import json
from pathlib import Path

import pytest

from tests.airflow.conftest import DAYS, IS_LONG, World
from tests.airflow.server import AirflowServer

# Airflow wants the end of the data interval; the run date is its start.
SCHEDULED = {"daily": DAYS[1]} | ({"log_weekly": "2021-01-11", "log_monthly": "2021-02-01"} if IS_LONG else {})
RUN_DATES = {"daily": DAYS[0], "log_weekly": "2021-01-04", "log_monthly": "2021-01-01"}


@pytest.fixture(scope="module")
def alone(world: World, tmp_path_factory: pytest.TempPathFactory) -> AirflowServer:
    """Airflow's command in a home of its own, where none of its services runs."""
    home = tmp_path_factory.mktemp("alone")
    (home / "told").mkdir()
    told = {"type": "file", "log_file_path": str(home / "told" / "event")}
    airflow = world.airflow.elsewhere(home, AIRFLOW__OPENLINEAGE__TRANSPORT=json.dumps(told))
    airflow.succeed("db", "migrate")
    airflow.succeed("pools", "import", "deploy/airflow/pools.json")
    return airflow


def _test(airflow: AirflowServer, dag_id: str, *words: str) -> None:
    assert "state=success" in airflow.succeed("dags", "test", dag_id, *words)


@pytest.mark.parametrize("dag_id", SCHEDULED)
def test_a_scheduled_dag_does_its_day(alone: AirflowServer, dag_id: str) -> None:
    _test(alone, dag_id, SCHEDULED[dag_id])
    checked = json.loads((alone.home / "runs" / RUN_DATES[dag_id] / "check_arrivals.json").read_text())
    assert checked["state"] == "done"


def test_the_day_is_published_as_by_hand(alone: AirflowServer, world: World) -> None:
    (by_hand,) = (world.by_hand.home / "published" / "versions").glob(f"{DAYS[0]}-*.duckdb")
    assert json.loads((alone.home / "published" / "latest.json").read_text())["version"] == by_hand.stem


def test_events_of_a_command_name_the_task_and_the_run_that_started_it(alone: AirflowServer) -> None:
    """OpenLineage's provider tells of the tasks and their DAG run; our events name both by the same ids."""
    told = [json.loads(file.read_text()) for file in (alone.home / "told").iterdir()]
    tasks = {
        (event["run"]["runId"], event["job"]["name"]): event["run"]["facets"]["parent"]["run"]["runId"]
        for event in told
        if event["job"]["name"].startswith("daily.")
    }
    steps = set()
    for line in (alone.home / "runs" / DAYS[0] / "openlineage.jsonl").read_text().splitlines():
        event = json.loads(line)
        parent, job = event["run"]["facets"]["parent"], event["job"]["name"]
        assert parent["root"]["job"]["name"] == "daily"
        assert parent["root"]["run"]["runId"] in tasks.values()
        if not job.startswith("build."):
            steps.add(job)
            assert parent["job"]["name"] == f"daily.{job.replace('.', '_')}"
            assert tasks[parent["run"]["runId"], parent["job"]["name"]] == parent["root"]["run"]["runId"]
    assert len(steps) == len([name for _, name in tasks if name != "daily.take_turn"]) == 10


def test_a_dag_over_people_does_what_it_is_told(alone: AirflowServer, world: World, tmp_path: Path) -> None:
    before = world.service.counts("departments")
    (tmp_path / "departments.csv").write_text("id,name\n9001,Trials\n9002,\n")
    conf = {"table": "departments", "file": str(tmp_path / "departments.csv")}
    _test(alone, "people_insert", "--conf", json.dumps(conf))
    assert world.service.counts("departments") == (before[0] + 1, before[1] + 1)

    people = world.by_airflow.people
    rows = people.query("select * from jobs order by id")
    _test(alone, "people_backup", "--conf", json.dumps({"tables": ["jobs"]}))
    people.execute("update jobs set name = 'spoiled'")
    _test(alone, "people_restore", "--conf", json.dumps({"table": "jobs"}))
    assert people.query("select * from jobs order by id") == rows
