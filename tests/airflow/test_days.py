"""Days that Airflow ran: a backfill, the day that was due meanwhile, a kill; and what a person gets by typing."""

import itertools
import json
from datetime import datetime

from tests.airflow.conftest import DAYS, KILLED, World
from tests.airflow.server import wait_until

STEPS = ["load", "check_arrivals", "build", "check_marts", "publish"]
EXTRACTS = ["extract_northwind", "extract_order_details", "extract_event_log", "extract_people", "extract_community"]


def _by_day(world: World) -> dict[str, dict[str, dict]]:
    """Return the task instances of `daily` by run date and task."""
    runs = world.airflow.get("dags/daily/dagRuns", limit=100)["dag_runs"]
    days = {run["dag_run_id"]: run["data_interval_start"][:10] for run in runs}
    found: dict[str, dict[str, dict]] = {}
    for task in world.airflow.tasks("daily"):
        found.setdefault(days[task["dag_run_id"]], {})[task["task_id"]] = task
    return found


def test_every_day_succeeds_task_by_task(world: World) -> None:
    days = _by_day(world)
    assert sorted(days) == [*DAYS, world.yesterday]
    for tasks in days.values():
        assert sorted(tasks) == sorted([*EXTRACTS, "take_turn", *STEPS])
        assert {task["state"] for task in tasks.values()} == {"success"}
    for dag_id in ("log_weekly", "log_monthly"):
        assert set(world.airflow.runs(dag_id).values()) == {"success"}


def test_readers_get_what_they_get_by_hand(world: World) -> None:
    """Every version is named by the hash of its rows: history, and so the order of the days, is part of them."""
    versions = [
        sorted(path.name for path in (sandbox.home / "published" / "versions").glob("*.duckdb"))
        for sandbox in (world.by_airflow, world.by_hand)
    ]
    assert [name[:10] for name in versions[0]] == [*DAYS, world.yesterday]
    assert versions[0] == versions[1]
    orders = "select count(*), sum(net_amount_usd) from sales.fct_orders"
    assert world.by_airflow.published(orders) == world.by_hand.published(orders)
    for day in [*DAYS, world.yesterday]:
        assert world.by_airflow.run("status", "--run-date", day).returncode == 0, day


def test_a_killed_step_is_tried_again(world: World) -> None:
    assert len(world.killed) == 1
    tasks = _by_day(world)[KILLED]
    tries = {name: tasks[name]["try_number"] for name in (*EXTRACTS, *STEPS)}
    assert tries == dict.fromkeys([*EXTRACTS, *STEPS], 1) | {"build": 2}


def test_one_day_after_the_other_is_written(world: World) -> None:
    """Earlier days go first, the due day last, and from load to publish no other day comes between."""
    spans = []
    for day, tasks in _by_day(world).items():
        begun, ended = tasks["load"]["start_date"], tasks["publish"]["end_date"]
        spans.append((datetime.fromisoformat(begun), datetime.fromisoformat(ended), day))
    spans.sort()
    assert [day for _, _, day in spans] == [*DAYS, world.yesterday]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_steps_hold_the_one_slot_of_their_warehouse(world: World) -> None:
    pools = {pool["name"]: pool["slots"] for pool in world.airflow.get("pools")["pools"]}
    assert {name: slots for name, slots in pools.items() if name.startswith("warehouse_")} == {
        "warehouse_duckdb": 1,
        "warehouse_postgres": 1,
    }
    tasks = world.airflow.tasks("daily")
    assert {task["task_id"] for task in tasks if task["pool"] == "warehouse_duckdb"} == {"take_turn", *STEPS}


def test_each_published_version_updates_the_asset_which_starts_the_site(world: World) -> None:
    (asset,) = world.airflow.get("assets")["assets"]
    assert asset["name"] == "tradewinds_duckdb"
    assert [task["task_id"] for task in asset["producing_tasks"]] == ["publish"]

    def updates() -> list[dict]:
        return world.airflow.get("assets/events", limit=100)["asset_events"]

    def is_shown() -> bool:
        """Say whether the site was written after the last version: of updates during a run, one gets the next run."""
        if set(world.airflow.runs("site").values()) != {"success"}:
            return False
        begun = (datetime.fromisoformat(task["start_date"]) for task in world.airflow.tasks("site"))
        return max(begun) > max(datetime.fromisoformat(update["timestamp"]) for update in updates())

    wait_until(is_shown, "the site shows every version", 120)
    assert {run["dag_id"] for update in updates() for run in update["created_dagruns"]} == {"site"}
    versions = sorted(path.stem for path in (world.by_airflow.home / "published" / "versions").glob("*.duckdb"))
    assert sorted(update["extra"]["version"] for update in updates()) == versions
    assert {update["extra"]["run_date"] for update in updates()} == {*DAYS, world.yesterday}
    written = (world.folder / "docs.txt").read_text().splitlines()
    assert written == ["docs --target duckdb"] * len(world.airflow.runs("site"))


def test_a_broken_pipeline_is_one_line_and_the_others_stand(world: World) -> None:
    (error,) = world.airflow.get("importErrors")["import_errors"]
    assert "Traceback" not in error["stack_trace"]
    assert error["filename"] == "pipelines_faults.py"
    file = world.airflow.environment["TRADEWINDS_PIPELINES"]
    faults = error["stack_trace"].strip().split("; ")
    assert [fault.removeprefix(f"{file}: pipelines: broken: ").split(":")[0] for fault in faults if file in fault] == [
        "schedule",
        "sources",
        "target",
        "retries",
        "colour",
    ]
    assert {dag["dag_id"] for dag in world.airflow.get("dags")["dags"]} == {
        *("daily", "log_weekly", "log_monthly", "site"),
        *("people_backup", "people_insert", "people_restore"),
    }


def test_no_argument_and_no_log_holds_a_secret(world: World) -> None:
    tasks = world.airflow.tasks()
    rendered = json.dumps([task["rendered_fields"] for task in tasks])
    assert "--run-date" in rendered

    def look() -> list[str]:
        """A task's log is uploaded after its end."""
        found = list(world.s3.texts("task-logs").values())
        return found if len(found) >= len(tasks) > 40 else []

    logs = wait_until(look, "a log of each task is in the bucket", 120)
    for secret in world.secrets:
        assert secret not in rendered
        assert not [log for log in logs if secret in log]
